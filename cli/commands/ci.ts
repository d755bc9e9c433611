import type { Command } from "commander"
import { drivingOptions, targetOption } from "./options.js"

/** What a CI system calls, and what it is configured with. @param cwd folder of the project */
export function ciCommands(program: Command, cwd: () => string): void {
  drivingOptions(
    program
      .command("job <job>")
      .description("run one job of a pipeline, as a CI system starts it: a step, or a group of steps")
      .addOption(targetOption())
      .requiredOption("--pipeline <name>", "the pipeline that the job belongs to")
      .option("--run <id>", "id of the run, outside of CI: the same for all its jobs"),
  ).action(async (name: string, options) => {
    const { job } = await import("../verbs/job.js")
    process.exitCode = await job(cwd(), name, options)
  })
  program
    .command("feedback")
    .description("in CI, after all jobs: one record, one report, one comment on the merge request")
    .requiredOption("--pipeline <pipeline>", "the pipeline whose jobs ran")
    .option("--print", "print the comment, tell the code host nothing")
    .action(async (options) => {
      const { feedback } = await import("../verbs/feedback.js")
      process.exitCode = await feedback(cwd(), options)
    })
  program
    .command("generate <gitlab|github>")
    .description("write the configuration with which a CI system runs a pipeline")
    .option("--pipeline <name>", "which pipeline", "delivery")
    .option("--check", "write nothing; show what differs, and exit with 5 then")
    .option("--stdout", "print it instead")
    .option("--force", "also over a file that was edited by hand or made by somebody else")
    .action(async (host: string, options) => {
      const { generate } = await import("../verbs/generate.js")
      process.exitCode = await generate(cwd(), host, options)
    })
  program
    .command("affected")
    .description("list the services that a change has to deliver")
    .option("--changed-since <commit>", "count from this commit; without it, or when it is unknown here: all services")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { affected } = await import("../verbs/affected.js")
      process.exitCode = await affected(cwd(), options)
    })
}
