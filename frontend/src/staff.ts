import "./staff.css";
import "htmx.org";
import Alpine from "@alpinejs/csp";

import { watchCharts } from "./staff/charts";
import { watchCopies } from "./staff/copy";
import { watchDialogs } from "./staff/dialogs";
import { watchForms } from "./staff/forms";
import { watchKeys } from "./staff/keys";
import { watchLoading } from "./staff/loading";
import { watchMenus } from "./staff/menus";
import { selection } from "./staff/selection";
import { timeline } from "./staff/timeline";
import { toast } from "./staff/toast";

Alpine.data("selection", selection);
Alpine.data("timeline", timeline);
Alpine.data("toast", toast);
Alpine.start();

watchCharts();
watchCopies();
watchDialogs();
watchForms();
watchKeys();
watchLoading();
watchMenus();
