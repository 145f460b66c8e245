"""What the canvas of the process editor says by itself; everything about a process comes with the process."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.web.parts import Words


def family_words() -> dict[str, Words]:
    """Return the families of blocks in the order of the menu."""
    return {
        "do": gettext_lazy("Do something"),
        "wait": gettext_lazy("Let time pass"),
        "ask": gettext_lazy("Ask and fork"),
        "end": gettext_lazy("Come to an end"),
    }


def canvas_words() -> dict[str, str]:
    """Return the words of buttons, menus, keys and messages."""
    return {**_buttons(), **_menus(), **_messages(), **_keys()}


def _buttons() -> dict[str, str]:
    return {
        "canvas": _("Canvas of the process"),
        "tools": _("Tools of the canvas"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "fit": _("Show all of it"),
        "map": _("Small map"),
        "find": _("Find a step"),
        "keys": _("Keys of the canvas"),
        "tour": _("Guided tour"),
        "problems": _("What keeps it from being published"),
        "close": _("Close"),
        "panel": _("Form of the step"),
    }


def _menus() -> dict[str, str]:
    return {
        "insert": _("Put in a step"),
        "insertHere": _("Put a step here"),
        "whichWay": _("On which way?"),
        "searchKinds": _("Search the kinds of steps"),
        "noKind": _("No kind of step is called so."),
        "paste": _("Put the copy here"),
        "pasteMove": _("Move it here"),
        "leadElsewhere": _("Lead this way elsewhere"),
        "ownEnd": _("An end of its own"),
        "searchSteps": _("Search the steps"),
        "noStep": _("No step is called so."),
        "open": _("Change"),
        "note": _("Note"),
        "remove": _("Take out"),
        "copy": _("Copy from here on"),
        "cut": _("Move from here on"),
        "more": _("More about this step"),
        "cancel": _("Leave it"),
        "yesNo": _("What do you want to do?"),
    }


def _messages() -> dict[str, str]:
    return {
        "loading": _("The canvas is being drawn."),
        "lost": _("The server did not answer. What you see is from before; nothing that you typed is lost."),
        "again": _("Try again"),
        "copied": _("Copied. Choose the way where it shall stand: press + there, or paste."),
        "cutOut": _("Choose the way to move it to: press + there, or paste. Escape leaves it where it is."),
        "nothingCopied": _("Nothing is copied yet."),
        "chooseWay": _("Choose a way first: the arrow keys lead from a step to its ways."),
        "saved": _("Saved."),
        "undone": _("Taken back."),
        "redone": _("Done again."),
        "dirtyTitle": _("You have typed something that is not saved"),
        "dirtySave": _("Save it"),
        "dirtyDrop": _("Throw it away"),
        "dirtyStay": _("Go on typing"),
        "changedBy": _("%(name)s changed this draft after you had opened it, so your last press did nothing.")
        % {"name": "{name}"},
        "nowNewest": _("You now see the newest state. Press again if you still want it."),
        "tourOffer": _("This process has a guided tour: a few stops that say what each part is for."),
        "tourStart": _("Show me around"),
        "tourLater": _("Not now"),
        "tourNext": _("Next"),
        "tourBack": _("Back"),
        "tourEnd": _("Done"),
        "tourSkip": _("Skip the tour"),
        "tourPlace": _("Stop %(number)s of %(count)s") % {"number": "{number}", "count": "{count}"},
        "hereNow": _("here now"),
        "inMonth": _("in 30 days"),
    }


def _keys() -> dict[str, str]:
    return {
        "keyArrows": _("Walk along the ways; left and right between ways and neighbours"),
        "keyEnter": _("Open the form of a step; on a way, put a step there"),
        "keyInsert": _("Put a step after this one"),
        "keyDelete": _("Take the step out"),
        "keyCopy": _("Copy from here on"),
        "keyCut": _("Move from here on"),
        "keyPaste": _("Put it on this way"),
        "keyLead": _("Lead this way elsewhere"),
        "keyUndo": _("Undo and redo"),
        "keyNote": _("Write a note"),
        "keyFind": _("Find a step"),
        "keyProblem": _("Go to the next thing that must be put right"),
        "keyZoom": _("Zoom in, out, show all"),
        "keyEscape": _("Close what is open"),
        "keyHelp": _("These keys"),
    }
