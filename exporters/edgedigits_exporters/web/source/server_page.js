/** The page of `edgedigits serve`: the server reads the pictures. */

import { start } from "./app.js";
import { serverBackend } from "./backends/server.js";

start(serverBackend());
