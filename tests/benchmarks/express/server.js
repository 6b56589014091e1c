// A view that only parses its body, in as many processes as are asked for: node server.js PORT WORKERS PATH
const cluster = require("node:cluster");
const express = require("express");

const [port, workers, path] = process.argv.slice(2);

if (cluster.isPrimary) {
  for (let number = 0; number < Number(workers); number += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill("SIGKILL");
    process.exit(0);
  });
} else {
  const app = express();
  app.disable("x-powered-by");
  app.use(express.json({ limit: "64mb" }));
  app.post(path, (request, response) => response.json({ cards: [] }));
  app.listen(Number(port), "127.0.0.1");
}
