/** The functions: what to do when somebody signs up, and when a trial ends. */
import { ConsoleLogger, eventType, Inngest, NonRetriableError, RetryAfterError, staticSchema } from "inngest";

// Without this variable the SDK would look for Inngest's cloud.
process.env["INNGEST_DEV"] ??= "http://localhost:8288";

// The failures below are on purpose and say so themselves: no stack traces.
export const inngest = new Inngest({ id: "quickstart", logger: new ConsoleLogger({ level: "silent" }) });

const signup = eventType("quickstart/user.signup", { schema: staticSchema<{ email: string }>() });
const trialEnded = eventType("quickstart/trial.ended", { schema: staticSchema<{ account: string }>() });

const onboard = inngest.createFunction({ id: "onboard", triggers: [signup] }, async ({ event, step }) => {
  const account = await step.run("create-account", () => {
    console.log(`creating the account of ${event.data.email}`);
    return { id: `account-of-${event.data.email}`, plan: "trial" };
  });

  await step.sleep("let-them-look-around", "5s");

  const [articles, friends] = await Promise.all([
    step.run("pick-articles", () => ["Getting started", "Ten things to try"]),
    step.run("find-friends", () => ["grace@example.com", "edsger@example.com"]),
  ]);

  await step.run("send-welcome", () => {
    console.log(`welcome mail to ${event.data.email}: ${articles.length} articles, ${friends.length} friends`);
  });
  await step.sendEvent("end-trial", trialEnded.create({ account: account.id }));

  return { account: account.id, articles, friends };
});

const importContacts = inngest.createFunction(
  { id: "import-contacts", triggers: [signup] },
  async ({ step, attempt }) => {
    const contacts = await step.run("fetch-contacts", () => {
      // A service that needs two reminders. An ordinary error would do as well; this one names its own wait.
      if (attempt < 2) {
        console.log(`contacts are not available yet (attempt ${attempt + 1})`);
        throw new RetryAfterError("the address book is busy", "2s");
      }
      return 42;
    });
    console.log(`imported ${contacts} contacts`);
    return { contacts };
  },
);

const charge = inngest.createFunction(
  {
    id: "charge",
    triggers: [trialEnded],
    onFailure: async ({ event, error, step }) => {
      await step.run("downgrade", () => {
        console.log(`run ${event.data.run_id} failed (${error.message}); back to the free plan`);
      });
    },
  },
  async ({ step }) => {
    await step.run("charge-card", () => {
      console.log("the card has expired; trying again would not help");
      throw new NonRetriableError("the card has expired");
    });
  },
);

export const functions = [onboard, importContacts, charge];
