/** The module of a table of many jobs. */
import { Jobs } from "./jobs_panel";
import { JobsStore } from "./jobs_store";
import { widget } from "./widget";

export default widget(JobsStore, Jobs);
