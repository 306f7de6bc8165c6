// Who plays, and when they do what. What comes of it the script does not know.

/** The stage is empty then, and the last curtain. */
export const OPENING = "2026-01-02T08:00:00Z";
export const CLOSING = "2027-01-04T08:00:00Z";

const MONTHS = Array.from({ length: 12 }, (_, index) => `2026-${String(index + 1).padStart(2, "0")}`);

/** The same each month from `first` (1 is January) on; `act` hears which time it is, from 0. */
const monthly = (first, dayAndTime, act) => MONTHS.slice(first - 1).map((month, index) => [`${month}-${dayAndTime}Z`, (company) => act(company, index)]);

export const CAST = [
  {
    name: "Steady Ledgers",
    character: "does all its homework in the first week, and the same each month",
    acts: [
      ["2026-01-02T08:00:00Z", (company) => company.signsUp()],
      ["2026-01-02T09:00:00Z", (company) => company.ticksOff("verifyEmail")],
      ["2026-01-02T09:30:00Z", (company) => company.configures({ dateFormat: "DD.MM.YYYY" })],
      ["2026-01-02T10:00:00Z", (company) => company.adds("projects", 2)],
      ["2026-01-02T10:30:00Z", (company) => company.adds("users", 8)],
      ["2026-01-04T08:00:00Z", (company) => company.ticksOff("setUpBilling")],
      ...monthly(1, "10T12:00:00", (company) => company.streams(62_000)),
      ["2026-03-11T12:00:00Z", (company) => company.sendsTwice(500)],
    ],
  },
  {
    name: "Titan Freight",
    character: "large from the first day, on the enterprise plan",
    acts: [
      ["2026-01-05T14:00:00Z", (company) => company.signsUp({ plan: "enterprise", numberOfEmployees: 4_800 })],
      ["2026-01-05T15:00:00Z", (company) => company.adds("users", 350)],
      ...monthly(1, "15T12:00:00", (company, month) => company.streams(600_000 + 60_000 * month)),
      ["2026-08-20T09:00:00Z", (company) => company.replacesKey("backend, after a laptop was lost")],
    ],
  },
  {
    name: "Rocket Maps",
    character: "starts small, grows by a third each month, and runs past every limit",
    acts: [
      ["2026-01-12T18:00:00Z", (company) => company.signsUp({ plan: "starter" })],
      ["2026-01-12T19:00:00Z", (company) => company.adds("users", 5)],
      ["2026-04-02T09:00:00Z", (company) => company.adds("users", 1)],
      ...monthly(2, "06T18:00:00", (company, month) => company.streams(Math.round(2_000 * 1.33 ** month))),
      ...monthly(2, "20T18:00:00", (company, month) => company.asksFor(Math.round(3_000 * 1.33 ** month), { paysForMore: true })),
      // The period in which they happened ended, and was invoiced, on the 26th of May.
      ["2026-06-03T07:00:00Z", (company) => company.streams(2_400, "2026-05-21T03:00:00Z")],
    ],
  },
  {
    name: "Donau Analytik",
    character: "in Vienna, and its trial ends on the last day of a month",
    acts: [
      ["2026-01-17T08:00:00Z", (company) => company.signsUp({ settings: { timezone: "Europe/Vienna", language: "de" } })],
      ["2026-01-19T08:00:00Z", (company) => company.adds("projects", 1)],
      ...monthly(2, "14T10:00:00", (company, month) => company.streams(month === 6 ? 131_000 : 45_000)),
    ],
  },
  {
    name: "Quiet Valley",
    character: "signs up and hardly ever comes back",
    acts: [
      ["2026-02-01T20:00:00Z", (company) => company.signsUp()],
      ["2026-07-05T20:00:00Z", (company) => company.records(12)],
    ],
  },
];
