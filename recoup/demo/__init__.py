"""The demo shop, its mailbox and clock, and the story that plays the main job through the real parts."""
