// How much a run works, whatever else the machine is busy with.

/** CPU time of this process that a run takes, ms. */
export async function workOf(run: () => Promise<unknown>): Promise<number> {
  const began = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
