// The demo's server: node main.mjs '{"mounts": {"/": "pages"}}'

import { createApp } from "./app.mjs";
import { serve } from "./listen.mjs";

serve(createApp);
