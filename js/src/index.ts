/** The module of a panel, of one job or of a composite. */
import { Panel } from "./panel";
import { Store } from "./store";
import { widget } from "./widget";

export default widget(Store, Panel);
