// Answers the questions of standard input with croner: a JSON object a line in and out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.EXORUN_TEST_NODE_MODULES + "/");
const { Cron } = require("croner");

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    const cron = new Cron(question.cron, { timezone: question.time_zone, paused: true });
    const due = cron.nextRuns(question.count, new Date(question.after * 1000));
    answer = { due: due.map((at) => Math.round(at.getTime() / 1000)) };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify({ croner: answer }));
}
