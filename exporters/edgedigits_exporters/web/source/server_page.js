/** The page of `edgedigits serve`: pictures are read by the server that it came from. */

import { start } from "./app.js";
import { serverBackend } from "./backends/server.js";

start(serverBackend());
