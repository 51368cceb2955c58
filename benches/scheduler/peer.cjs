// A peer of benches/scheduler.sh: node-cron, and work that does nothing.
//
//     peer.cjs load JOBS      jobs with 1,440 distinct expressions
//     peer.cjs burst JOBS     jobs that are all due in the same second, five times
//
// It reads an expression when it is given a job: there is no parsing beforehand.
const cron = require("node-cron");

const PERIOD = 5000;
const BURSTS = 5;

function load(jobs) {
  const began = performance.now();
  for (let number = 0; number < jobs; number += 1) {
    cron.schedule(`${number % 60} ${Math.floor(number / 60) % 24} * * *`, () => {});
  }
  const loaded = (performance.now() - began) / 1000;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(`loaded ${loaded.toFixed(2)} s, peak ${peak.toFixed(1)} MB`);
  process.exit(0);
}

function burst(jobs) {
  const late = new Map();
  const note = () => {
    const now = Date.now();
    const due = now - (now % PERIOD);
    const burst = late.get(due);
    if (burst) burst.push(now - due);
    else late.set(due, [now - due]);
  };
  // Not in the middle of the second in which it is due.
  setTimeout(() => {
    for (let number = 0; number < jobs; number += 1) cron.schedule(`*/${PERIOD / 1000} * * * * *`, note);
    setTimeout(() => {
      const counts = [...late.values()].map((burst) => burst.length);
      if (counts.length !== BURSTS || counts.some((count) => count !== jobs)) {
        console.error(`started: ${counts}, not ${BURSTS} times ${jobs}`);
        process.exit(1);
      }
      const last = [...late.values()].map((burst) => Math.max(...burst));
      console.log(`last of ${jobs} after ${last.join(", ")} ms`);
      process.exit(0);
    }, PERIOD * BURSTS);
  }, PERIOD - (Date.now() % PERIOD) + 500);
}

({ load, burst })[process.argv[2]](Number(process.argv[3]));
