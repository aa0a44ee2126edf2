// Generated from src/domain/wire by `MOONLOCK_WRITE_TYPES=1 cargo test --lib wire`. Do not edit.

/**
 * How a call ended.
 */
export type Outcome = "running" | "complete" | "client_aborted" | "upstream_error" | "stream_error" | "interrupted";

/**
 * Where a call's numbers came from. No source at all means that nothing is known.
 */
export type Source = "exact" | "partial" | "estimated" | "manual" | "imported";

/**
 * Where a price came from.
 */
export type PriceSource = "provider" | "override" | "catalog";

/**
 * Why a call belongs to its session.
 */
export type Attribution = "header" | "path" | "conversation" | "active" | "manual" | "moved" | "unassigned";

/**
 * Where a session stands.
 */
export type Status = "active" | "paused" | "completed";

/**
 * What becomes of the calls of a session that is deleted.
 */
export type CallsFate = "unassign" | "delete";

/**
 * How a session came about.
 */
export type Origin = "manual" | "auto";

/**
 * What the machine's sleep does to a session whose clock runs.
 */
export type OnSleep = "pause" | "count";

/**
 * The kind of an event.
 */
export type EventKind = "started" | "paused" | "resumed" | "completed" | "limit_reached" | "extended" | "trimmed" | "untrimmed" | "gap_counted" | "suspended" | "slept_through" | "stalled" | "recovered" | "rebooted" | "clock_jumped";

/**
 * An event of a session's clock.
 */
export type ClockEvent = { 
/**
 * Its number within the session: what `untrim` and `countGap` name it by.
 */
seq: number, 
/**
 * What happened.
 */
kind: EventKind, 
/**
 * When it took effect; UTC epoch milliseconds.
 */
at: number, 
/**
 * How long the gap or the trimmed stretch is, by how much the wall clock jumped, or what is planned now.
 */
ms: number | null, 
/**
 * Whether it was taken back: the trim undone, the gap counted.
 */
undone: boolean, 
/**
 * Whether it left a gap that can be counted.
 */
countable: boolean, };

/**
 * What a session had used at a moment, or between two.
 */
export type CheckpointUsage = { 
/**
 * Prompt tokens, without cached ones.
 */
input: number, 
/**
 * Prompt tokens read from a cache.
 */
cacheRead: number, 
/**
 * Prompt tokens written to a cache.
 */
cacheWrite: number, 
/**
 * Generated tokens, reasoning included.
 */
output: number, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number, 
/**
 * All tokens.
 */
total: number, 
/**
 * Billionths of a US dollar; `null` if nothing of it has a price.
 */
costNanoUsd: number | null, };

/**
 * A named moment in a session.
 */
export type CheckpointView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The session.
 */
sessionId: string, 
/**
 * What begins or ends here.
 */
phase: string, 
/**
 * How many prompts the user had counted.
 */
promptCount: number | null, 
/**
 * The user's own object.
 */
metadata: Record<string, unknown> | null, 
/**
 * UTC epoch milliseconds.
 */
at: number, 
/**
 * What the session's clock showed.
 */
elapsedMs: number, 
/**
 * What the session had used.
 */
usage: CheckpointUsage, 
/**
 * How long the clock had run since the checkpoint before, or the session's start.
 */
sinceMs: number, 
/**
 * What was used since then.
 */
since: CheckpointUsage, };

/**
 * The last checkpoint, in short.
 */
export type CheckpointMark = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * What begins or ends there.
 */
phase: string, 
/**
 * How many prompts the user had counted.
 */
promptCount: number | null, 
/**
 * UTC epoch milliseconds.
 */
at: number, 
/**
 * What the session's clock showed.
 */
elapsedMs: number, };

/**
 * `GET /api/sessions/{id}/checkpoints`.
 */
export type CheckpointsPage = { 
/**
 * In order.
 */
checkpoints: Array<CheckpointView>, 
/**
 * The cursor of the next page.
 */
next: string | null, };

/**
 * `GET /api/sessions/{id}/events`.
 */
export type ClockEvents = { 
/**
 * All that happened to the session's clock, in order.
 */
events: Array<ClockEvent>, };

/**
 * What a session used at once.
 */
export type TokenEntry = { 
/**
 * UUIDv7: the call's.
 */
id: string, 
/**
 * All its tokens; `null` is not known.
 */
tokensUsed: number | null, 
/**
 * The user's own word for what was reported, else the operation's name.
 */
operation: string, 
/**
 * Where the numbers came from; `null` where there are none.
 */
source: Source | null, 
/**
 * The model, where one is known.
 */
model: string | null, 
/**
 * What it cost, in billionths of a US dollar; `null` where no price is known.
 */
costNanoUsd: number | null, 
/**
 * What the user noted about it.
 */
note: string | null, 
/**
 * UTC epoch milliseconds.
 */
at: number, 
/**
 * When it was rewritten after its end (moved here, estimated, its numbers given up for another's), or reported of an
 * earlier moment; `null`: never.
 */
changedAt: number | null, };

/**
 * The sums of one source.
 */
export type SourceTotals = { 
/**
 * Where the numbers came from; `null`: there are none.
 */
source: Source | null, 
/**
 * Calls.
 */
requests: number, 
/**
 * All their tokens.
 */
tokens: number, 
/**
 * What the priced ones cost, in billionths of a US dollar.
 */
costNanoUsd: number | null, };

/**
 * Calls whose numbers the provider did not say, or not all of them.
 */
export type Uncertain = { 
/**
 * Calls.
 */
requests: number, 
/**
 * The tokens that are known or estimated of them.
 */
tokens: number, };

/**
 * How a session's tokens come together.
 */
export type Reconciliation = { 
/**
 * All tokens.
 */
tokensUsed: number, 
/**
 * By source.
 */
bySource: Array<SourceTotals>, 
/**
 * What is not certain of it.
 */
uncertain: Uncertain, 
/**
 * Tokens of calls that began while the session was paused.
 */
pausedTokens: number, };

/**
 * `GET /api/sessions/{id}/tokens`.
 */
export type TokensPage = { 
/**
 * Newest first.
 */
tokens: Array<TokenEntry>, 
/**
 * The cursor of the next page.
 */
next: string | null, 
/**
 * How the whole session's tokens come together.
 */
reconciliation: Reconciliation, };

/**
 * One report as it was counted.
 */
export type Counted = { 
/**
 * UUIDv7: the call's.
 */
id: string, 
/**
 * All its tokens.
 */
tokensUsed: number, };

/**
 * The answer to a report, or to a list of them.
 */
export type Reported = { 
/**
 * UUIDv7: the call's.
 */
id: string, 
/**
 * All its tokens.
 */
tokensUsed: number, 
/**
 * The session afterwards.
 */
session: SessionView, } | { 
/**
 * What was counted, in the list's order.
 */
reported: Array<Counted>, 
/**
 * The session afterwards.
 */
session: SessionView, };

/**
 * One call, as `/api/calls` and the events show it.
 */
export type CallView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The session it belongs to; `null` is *Unassigned*.
 */
sessionId: string | null, 
/**
 * The session that the client asked for, by id or name, whether it exists or not.
 */
askedSession: string | null, 
/**
 * Why the call belongs to its session.
 */
attribution: Attribution, 
/**
 * The client's own thread.
 */
conversation: string | null, 
/**
 * The agent inside that thread that made the call, where the client told of one; `null` is the thread's own.
 */
agent: string | null, 
/**
 * The agent that started it; `null` is the thread's own.
 */
parentAgent: string | null, 
/**
 * The program that made the call.
 */
client: string | null, 
/**
 * The mount's name.
 */
provider: string, 
/**
 * The model that answered, or the requested one where the reply named none.
 */
model: string | null, 
/**
 * The model that the request named.
 */
requestModel: string | null, 
/**
 * The operation's name.
 */
operation: string, 
/**
 * Whether the reply was streamed; `null` while that is not known.
 */
streamed: boolean | null, 
/**
 * The provider's HTTP status.
 */
status: number | null, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * Where the numbers came from; `null` where there are none.
 */
source: Source | null, 
/**
 * Prompt tokens, without cached ones.
 */
input: number | null, 
/**
 * Prompt tokens read from the provider's cache.
 */
cacheRead: number | null, 
/**
 * Prompt tokens written to the provider's cache.
 */
cacheWrite: number | null, 
/**
 * Generated tokens, reasoning included.
 */
output: number | null, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number | null, 
/**
 * All tokens.
 */
total: number | null, 
/**
 * About how many tokens a running stream holds so far; `null` where that is not known, and when it has ended.
 */
outputSoFar: number | null, 
/**
 * How sure its numbers are, where they were estimated; `null` where all are the provider's own.
 */
estimate: EstimateView | null, 
/**
 * What it cost, in billionths of a US dollar; `null` where no price is known.
 */
costNanoUsd: number | null, 
/**
 * By whose word it cost that; `null` where no price is known.
 */
priceSource: PriceSource | null, 
/**
 * As of which day, `YYYY-MM-DD`: the price list's date, or the day from which a price of the user's holds.
 */
priceDate: string | null, 
/**
 * UTC epoch milliseconds.
 */
startedAt: number, 
/**
 * Time to the first byte of a streamed reply's body.
 */
ttftMs: number | null, 
/**
 * Time to the reply's end.
 */
durationMs: number | null, 
/**
 * The provider's id of the request.
 */
requestId: string | null, 
/**
 * The kind of error, where there was one.
 */
error: string | null, 
/**
 * The call that counts this one's usage, where the same usage came more than once: a response that was polled
 * or read again, a download that was repeated. Such a call has no numbers of its own and is in no sum.
 */
countedBy: string | null, };

/**
 * Disjoint parts of a call's usage, in tokens where nothing else is said; those that are not known are left out.
 */
export type CallParts = { 
/**
 * Prompt text, without what a cache served or took.
 */
input?: number, 
/**
 * Read from a cache.
 */
cacheRead?: number, 
/**
 * Written to a cache for five minutes.
 */
cacheWrite5m?: number, 
/**
 * Written to a cache for an hour.
 */
cacheWrite1h?: number, 
/**
 * Sound in the prompt.
 */
audioIn?: number, 
/**
 * Images in the prompt.
 */
imageIn?: number, 
/**
 * Generated text, without reasoning.
 */
output?: number, 
/**
 * Reasoning.
 */
reasoning?: number, 
/**
 * Generated sound.
 */
audioOut?: number, 
/**
 * Generated images.
 */
imageOut?: number, 
/**
 * Tokens of which it is not known what they were.
 */
unsplit?: number, 
/**
 * Searches of the web, which are charged by number.
 */
webSearches?: number, 
/**
 * What the provider itself said that it cost, in billionths of a US dollar.
 */
providerCostNanoUsd?: number, };

/**
 * A call with what only the database knows: `GET /api/calls/{id}`, and the exports.
 */
export type CallDetail = { 
/**
 * Where the client asked for `askedSession`.
 */
askedBy: Attribution | null, 
/**
 * The price list's name for the provider.
 */
priceProvider: string | null, 
/**
 * What the model said its name is; `null` where it did not.
 */
replyModel: string | null, 
/**
 * The disjoint parts of its usage.
 */
parts: CallParts, 
/**
 * The provider's own words about the usage: JSON as it came; `null` where there were none.
 */
rawUsage: unknown, 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The session it belongs to; `null` is *Unassigned*.
 */
sessionId: string | null, 
/**
 * The session that the client asked for, by id or name, whether it exists or not.
 */
askedSession: string | null, 
/**
 * Why the call belongs to its session.
 */
attribution: Attribution, 
/**
 * The client's own thread.
 */
conversation: string | null, 
/**
 * The agent inside that thread that made the call, where the client told of one; `null` is the thread's own.
 */
agent: string | null, 
/**
 * The agent that started it; `null` is the thread's own.
 */
parentAgent: string | null, 
/**
 * The program that made the call.
 */
client: string | null, 
/**
 * The mount's name.
 */
provider: string, 
/**
 * The model that answered, or the requested one where the reply named none.
 */
model: string | null, 
/**
 * The model that the request named.
 */
requestModel: string | null, 
/**
 * The operation's name.
 */
operation: string, 
/**
 * Whether the reply was streamed; `null` while that is not known.
 */
streamed: boolean | null, 
/**
 * The provider's HTTP status.
 */
status: number | null, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * Where the numbers came from; `null` where there are none.
 */
source: Source | null, 
/**
 * Prompt tokens, without cached ones.
 */
input: number | null, 
/**
 * Prompt tokens read from the provider's cache.
 */
cacheRead: number | null, 
/**
 * Prompt tokens written to the provider's cache.
 */
cacheWrite: number | null, 
/**
 * Generated tokens, reasoning included.
 */
output: number | null, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number | null, 
/**
 * All tokens.
 */
total: number | null, 
/**
 * About how many tokens a running stream holds so far; `null` where that is not known, and when it has ended.
 */
outputSoFar: number | null, 
/**
 * How sure its numbers are, where they were estimated; `null` where all are the provider's own.
 */
estimate: EstimateView | null, 
/**
 * What it cost, in billionths of a US dollar; `null` where no price is known.
 */
costNanoUsd: number | null, 
/**
 * By whose word it cost that; `null` where no price is known.
 */
priceSource: PriceSource | null, 
/**
 * As of which day, `YYYY-MM-DD`: the price list's date, or the day from which a price of the user's holds.
 */
priceDate: string | null, 
/**
 * UTC epoch milliseconds.
 */
startedAt: number, 
/**
 * Time to the first byte of a streamed reply's body.
 */
ttftMs: number | null, 
/**
 * Time to the reply's end.
 */
durationMs: number | null, 
/**
 * The provider's id of the request.
 */
requestId: string | null, 
/**
 * The kind of error, where there was one.
 */
error: string | null, 
/**
 * The call that counts this one's usage, where the same usage came more than once: a response that was polled
 * or read again, a download that was repeated. Such a call has no numbers of its own and is in no sum.
 */
countedBy: string | null, };

/**
 * Sums over calls.
 */
export type Totals = { 
/**
 * Calls that have ended.
 */
requests: number, 
/**
 * Those of them that did not end as `complete`.
 */
errors: number, 
/**
 * Prompt tokens, without cached ones.
 */
input: number, 
/**
 * Prompt tokens read from a cache.
 */
cacheRead: number, 
/**
 * Prompt tokens written to a cache.
 */
cacheWrite: number, 
/**
 * Generated tokens, reasoning included.
 */
output: number, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number, 
/**
 * All tokens.
 */
total: number, 
/**
 * What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
 */
costNanoUsd: number | null, 
/**
 * Tokens of calls that have no price: they are not in `costNanoUsd`.
 */
unpricedTokens: number, 
/**
 * Those calls: they have numbers, but no price.
 */
unpricedRequests: number, 
/**
 * Tokens whose source is not `exact`.
 */
inexactTokens: number, 
/**
 * Calls of which no token number is known, though the provider did not refuse them.
 */
unknownRequests: number, };

/**
 * How fast a session burns: the mean of its last active minutes, in which what was used `halfLifeMs` ago counts half.
 */
export type BurnRateView = { 
/**
 * Tokens a minute, all of them.
 */
tokensPerMinute: number, 
/**
 * Billionths of a US dollar a minute; `null` while no call has a price.
 */
nanoUsdPerMinute: number | null, 
/**
 * Calls an hour.
 */
callsPerHour: number, 
/**
 * The half-life of the window, in milliseconds of the session's own time.
 */
halfLifeMs: number, };

/**
 * A range.
 */
export type BandView = { 
/**
 * Its lower end.
 */
low: number, 
/**
 * Its upper end.
 */
high: number, };

/**
 * Tokens, or billionths of a US dollar, at a session's end. No number is below `spent`.
 */
export type OutlookView = { 
/**
 * What is spent so far, exactly.
 */
spent: number, 
/**
 * What is expected in a minute from now on.
 */
perMinute: number, 
/**
 * As likely to be exceeded as not.
 */
expected: number, 
/**
 * Holds the end with 50 %.
 */
band50: BandView, 
/**
 * Holds it with 80 %.
 */
band80: BandView, 
/**
 * Holds it with 95 %.
 */
band95: BandView, };

/**
 * When a limit is met, in milliseconds of the session's own time from now on; `null` is "not within a day".
 */
export type TimeToLimitView = { 
/**
 * One of ten sessions meets it earlier.
 */
earlyMs: number | null, 
/**
 * Half of them do.
 */
expectedMs: number | null, 
/**
 * Nine of ten do.
 */
lateMs: number | null, };

/**
 * How a budget will do.
 */
export type BudgetForecast = { 
/**
 * How likely it is that it is used up by the session's end, in per cent.
 */
overrunPercent: number, 
/**
 * When it is met, whether the session lasts that long or not; 0 if it is met already.
 */
timeToLimit: TimeToLimitView, };

/**
 * Whose end a forecast is about.
 */
export type ForecastEnd = "planned" | "open";

/**
 * What a session will come to. `null` in a session's place for it: nothing is known yet.
 */
export type ForecastView = { 
/**
 * All its tokens at its end: of the planned duration, or, where the end is open, of what is usual.
 */
total: OutlookView, 
/**
 * Those that no cache served.
 */
fresh: OutlookView, 
/**
 * Its cost, in billionths of a US dollar; `null` while no call has a price.
 */
costNanoUsd: OutlookView | null, 
/**
 * How its token budget will do; `null` if it has none, or no call yet.
 */
tokenBudget: BudgetForecast | null, 
/**
 * How its budget in money will do; `null` if it has none, or no call with a price yet.
 */
costBudget: BudgetForecast | null, 
/**
 * How far it can be relied on.
 */
confidence: "low" | "medium" | "high", 
/**
 * How many of the session's calls stand behind it.
 */
calls: number, 
/**
 * How many of the user's finished sessions stand behind it; 0 where only the built-in usual does.
 */
pastSessions: number, 
/**
 * Whether a planned end stands behind it.
 */
end: ForecastEnd, };

/**
 * What is foretold of a session, told after calls and every few seconds while its clock runs.
 */
export type Foretold = { 
/**
 * The time that the session had run for then.
 */
elapsedMs: number, 
/**
 * How fast it burns; `null` before its first call.
 */
burnRate: BurnRateView | null, 
/**
 * What it will come to; `null` while nothing is known.
 */
forecast: ForecastView | null, };

/**
 * The sums of a track record.
 */
export type Score = { 
/**
 * 80 % bands that were shown …
 */
bands: number, 
/**
 * … and those of them that held.
 */
held: number, 
/**
 * Early warnings of which it is known what came of them …
 */
warnings: number, 
/**
 * … and those that came true.
 */
cameTrue: number, 
/**
 * The sessions behind it.
 */
sessions: number, };

/**
 * How well forecasts did that were shown: `GET /api/forecast/track-record`.
 */
export type TrackRecord = { 
/**
 * How many bands of a hundred are to hold.
 */
promisedPercent: number, 
/**
 * 80 % bands that were shown …
 */
bands: number, 
/**
 * … and those of them that held.
 */
held: number, 
/**
 * Early warnings of which it is known what came of them …
 */
warnings: number, 
/**
 * … and those that came true.
 */
cameTrue: number, 
/**
 * The sessions behind it.
 */
sessions: number, };

/**
 * One session with its clock and its sums.
 */
export type SessionView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The user's name for it.
 */
name: string, 
/**
 * How it came about.
 */
origin: Origin, 
/**
 * The user's own words to find it by.
 */
tags: Array<string>, 
/**
 * What the user noted about it; `null` is nothing.
 */
note: string | null, 
/**
 * Where it stands.
 */
status: Status, 
/**
 * Whether calls that name no session go here.
 */
current: boolean, 
/**
 * Rises with every change of it, also of `current`; that another becomes the current one instead is none.
 */
revision: number, 
/**
 * How long it may run, in milliseconds; `null` is open-ended.
 */
duration: number | null, 
/**
 * What the machine's sleep does to it.
 */
onSleep: OnSleep, 
/**
 * How many tokens it may use; `null` is no budget.
 */
tokenBudget: number | null, 
/**
 * Which tokens count in that.
 */
budgetCounts: Counts, 
/**
 * What it may cost, in billionths of a US dollar; `null` is no budget.
 */
costBudgetNanoUsd: number | null, 
/**
 * What happens when one of both is used up.
 */
atLimit: AtLimit, 
/**
 * UTC epoch milliseconds.
 */
createdAt: number, 
/**
 * UTC epoch milliseconds.
 */
startedAt: number, 
/**
 * UTC epoch milliseconds; `null` until it has ended.
 */
endedAt: number | null, 
/**
 * The time it has run for at the moment `at`.
 */
elapsedMs: number, 
/**
 * How much of it was taken out.
 */
trimmedMs: number, 
/**
 * The newest things that happened to its clock and that the user should know of, in order.
 */
told: Array<ClockEvent>, 
/**
 * The server's wall clock when `elapsedMs` was read.
 */
at: number, 
/**
 * All its tokens: `usage.total`.
 */
tokensUsed: number, 
/**
 * Those of calls that began while it was paused.
 */
pausedTokens: number, 
/**
 * How many checkpoints it has.
 */
checkpoints: number, 
/**
 * The last of them.
 */
lastCheckpoint: CheckpointMark | null, 
/**
 * Its sums.
 */
usage: Totals, 
/**
 * How fast it burns; `null` before its first call, and once it has ended.
 */
burnRate: BurnRateView | null, 
/**
 * What it will come to; `null` while nothing is known, and once it has ended.
 */
forecast: ForecastView | null, };

/**
 * What was used until a moment of a session's own time, in which there are no pauses.
 */
export type CurvePoint = { 
/**
 * The moment, in milliseconds of the session's own time.
 */
atMs: number, 
/**
 * Calls that had ended.
 */
calls: number, 
/**
 * All their tokens.
 */
total: number, 
/**
 * Those that no cache served.
 */
fresh: number, 
/**
 * What they cost, in billionths of a US dollar; `null` if none of the session's calls has a price.
 */
costNanoUsd: number | null, };

/**
 * How a session's use grew over its own time.
 */
export type CurveView = { 
/**
 * The session.
 */
sessionId: string, 
/**
 * The time that it has run for.
 */
elapsedMs: number, 
/**
 * How far two points lie apart; the last one may be nearer to the one before.
 */
stepMs: number, 
/**
 * At most 301, from the moment 0 to `elapsedMs`.
 */
points: Array<CurvePoint>, };

/**
 * What is compared of sessions. In a difference, less is negative.
 */
export type SessionFigures = { 
/**
 * The time that it ran for.
 */
elapsedMs: number, 
/**
 * Calls that have ended.
 */
requests: number, 
/**
 * Those of them that did not end as `complete`.
 */
errors: number, 
/**
 * Prompt tokens, without cached ones.
 */
input: number, 
/**
 * Prompt tokens read from a cache.
 */
cacheRead: number, 
/**
 * Prompt tokens written to a cache.
 */
cacheWrite: number, 
/**
 * Generated tokens, reasoning included.
 */
output: number, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number, 
/**
 * All tokens.
 */
total: number, 
/**
 * Billionths of a US dollar; `null` if no call has a price.
 */
costNanoUsd: number | null, 
/**
 * How much of its prompts a cache served, in per cent; `null` without prompts.
 */
cacheSharePercent: number | null, 
/**
 * Generated tokens a minute of its own time; `null` before the first second.
 */
outputPerMinute: number | null, 
/**
 * The score of its efficiency, 0 to 100; `null` where too little is known.
 */
efficiency: number | null, };

/**
 * One of the sessions that are compared.
 */
export type ComparedView = { 
/**
 * The session; `null` is the median of one's own finished sessions.
 */
sessionId: string | null, 
/**
 * Its name; `null` for the median.
 */
name: string | null, 
/**
 * Where it stands; `null` for the median.
 */
status: Status | null, 
/**
 * How many sessions stand behind it: 1, or those of the median; below 3 there is none.
 */
pastSessions: number, 
/**
 * How its use grew; the median ends where fewer than 3 sessions lasted that long. Empty where there is no median.
 */
points: Array<CurvePoint>, 
/**
 * Its figures; `null` where there is no median.
 */
figures: SessionFigures | null, 
/**
 * Its figures less those of the first session; `null` for the first.
 */
difference: SessionFigures | null, };

/**
 * Sessions side by side, on one axis of their own time.
 */
export type ComparisonView = { 
/**
 * How far two points of a session lie apart: its third point and another's are at the same moment. The last one may
 * be nearer.
 */
stepMs: number, 
/**
 * In the order in which they were asked for.
 */
sessions: Array<ComparedView>, };

/**
 * What the score is made of.
 */
export type EfficiencyPart = "cacheHits" | "waste" | "repeats" | "outputPerInput" | "costPerCheckpoint";

/**
 * Why a part is left out.
 */
export type LeftOut = "noCache" | "noTokens" | "noInput" | "noCheckpoints" | "noPrice" | "noUsual";

/**
 * What the numbers of a part count.
 */
export type EfficiencyUnit = "perMille" | "nanoUsd";

/**
 * A part of an efficiency's score.
 */
export type EfficiencyPartView = { 
/**
 * What it is.
 */
part: EfficiencyPart, 
/**
 * What its numbers count.
 */
unit: EfficiencyUnit, 
/**
 * Its number; `null` where it is left out.
 */
value: number | null, 
/**
 * The median of one's own finished sessions; `null` if fewer than 3 have one.
 */
usual: number | null, 
/**
 * From which number on it gives no point.
 */
noPointsAt: number | null, 
/**
 * From which number on it gives all 100; in proportion between the two.
 */
fullPointsAt: number | null, 
/**
 * Its points, 0 to 100; `null` where it is left out.
 */
points: number | null, 
/**
 * How much it counts in the score, in per cent, where no part is left out.
 */
weightPercent: number, 
/**
 * How much it counts in this score, in per cent; 0 where it is left out.
 */
countsPercent: number, 
/**
 * Why it is left out; `null` where it is not.
 */
leftOut: LeftOut | null, 
/**
 * The same as a sentence.
 */
leftOutBecause: string | null, };

/**
 * How well a session makes use of what it pays for: the mean of its parts' points, each as often as it weighs.
 */
export type EfficiencyView = { 
/**
 * The session.
 */
sessionId: string, 
/**
 * 0 to 100; `null` before its fifth call, and while no token is known.
 */
score: number | null, 
/**
 * The median score of one's own finished sessions; `null` if there are fewer than 3.
 */
usualScore: number | null, 
/**
 * How many of them stand behind what is usual.
 */
pastSessions: number, 
/**
 * What the score is made of.
 */
parts: Array<EfficiencyPartView>, };

/**
 * The middle half of what one's own finished sessions had used.
 */
export type QuartilesView = { 
/**
 * A quarter had used less.
 */
low: number, 
/**
 * Half had.
 */
median: number, 
/**
 * Three quarters had.
 */
high: number, };

/**
 * What is usual at one moment of a session's own time.
 */
export type PastBand = { 
/**
 * The moment, in milliseconds of a session's own time.
 */
atMs: number, 
/**
 * How many finished sessions lasted that long; those that ended before are not in the numbers. Never below 3.
 */
sessions: number, 
/**
 * Calls that had ended.
 */
calls: QuartilesView, 
/**
 * All tokens.
 */
total: QuartilesView, 
/**
 * Those that no cache served.
 */
fresh: QuartilesView, 
/**
 * Billionths of a US dollar; `null` if fewer than 3 of the sessions have a price.
 */
costNanoUsd: QuartilesView | null, };

/**
 * Where a number lies beside what is usual.
 */
export type Place = "below" | "usual" | "above";

/**
 * Where a session stands beside what is usual.
 */
export type PastPlace = { 
/**
 * The session's number.
 */
value: number, 
/**
 * What is usual.
 */
usual: QuartilesView, 
/**
 * Where the number lies.
 */
place: Place, 
/**
 * The number as a share of the median, in per cent; `null` if the median is 0.
 */
percentOfMedian: number | null, 
/**
 * The same as a sentence: `1,234,567 tokens after 42 min: more than in three of four of your 12 sessions that lasted that
 * long (median 880,000).`
 */
says: string, };

/**
 * Where a session stands now.
 */
export type PastNow = { 
/**
 * How many finished sessions lasted as long.
 */
sessions: number, 
/**
 * Calls.
 */
calls: PastPlace, 
/**
 * All tokens.
 */
total: PastPlace, 
/**
 * Those that no cache served.
 */
fresh: PastPlace, 
/**
 * Billionths of a US dollar; `null` if it has no price, or fewer than 3 of the others have.
 */
costNanoUsd: PastPlace | null, };

/**
 * A session beside the user's finished ones.
 */
export type PastView = { 
/**
 * The session.
 */
sessionId: string, 
/**
 * The time that it has run for.
 */
elapsedMs: number, 
/**
 * How many finished sessions it is compared with.
 */
pastSessions: number, 
/**
 * How far two bands lie apart.
 */
stepMs: number, 
/**
 * What is usual, from the moment 0 on; it ends where fewer than 3 sessions lasted that long.
 */
bands: Array<PastBand>, 
/**
 * Where the session stands; `null` if fewer than 3 lasted as long.
 */
now: PastNow | null, };

/**
 * Which tokens a budget counts.
 */
export type Counts = "all" | "fresh";

/**
 * What happens when a budget is used up.
 */
export type AtLimit = "alert" | "block";

/**
 * When a budget begins anew, in the user's zone.
 */
export type Period = "day" | "week" | "month";

/**
 * A budget that begins anew every day, week or month, as `/api/budgets` shows it.
 */
export type BudgetView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The user's name for it.
 */
name: string, 
/**
 * When it begins anew, in the zone of the machine that Moonlock runs on.
 */
period: Period, 
/**
 * The mount's name whose calls it counts; `null` is any.
 */
provider: string | null, 
/**
 * The model whose calls it counts; `null` is any.
 */
model: string | null, 
/**
 * The program whose calls it counts; `null` is any.
 */
client: string | null, 
/**
 * How many tokens may be used; `null` is no budget.
 */
tokenBudget: number | null, 
/**
 * Which tokens count.
 */
budgetCounts: Counts, 
/**
 * How much money may be used, in billionths of a US dollar; `null` is no budget.
 */
costBudgetNanoUsd: number | null, 
/**
 * What happens when it is used up.
 */
atLimit: AtLimit, 
/**
 * Whether it refuses calls now.
 */
blocks: boolean, 
/**
 * Rises with every change.
 */
revision: number, 
/**
 * UTC epoch milliseconds.
 */
createdAt: number, 
/**
 * From when the running period lasts; UTC epoch milliseconds.
 */
from: number, 
/**
 * When the next one begins; UTC epoch milliseconds.
 */
to: number, 
/**
 * What is used in it.
 */
usage: Totals, };

/**
 * `GET /api/budgets`.
 */
export type BudgetsPage = { 
/**
 * In the order in which they were made.
 */
budgets: Array<BudgetView>, };

/**
 * What an alert is about. At most one alert of a rule stands for each [scope](super::Scope).
 */
export type Rule = "budget.tokens" | "budget.cost" | "budget.unpriced" | "overrun.tokens" | "overrun.cost" | "calls.burst" | "calls.size" | "calls.loop" | "session.idle" | "provider.window" | "provider.errors" | "provider.overload" | "store.slow" | "store.failing" | "store.queue" | "store.repaired" | "backup.failing" | "meter.blind";

/**
 * How much an alert matters.
 */
export type Severity = "info" | "warning" | "critical";

/**
 * What became of an alert.
 */
export type AlertStatus = "active" | "acknowledged" | "snoozed" | "muted" | "cleared";

/**
 * What an alert is about: a rule is watched for each of them apart.
 */
export type Scope = { "kind": "moonlock" } | { "kind": "session", 
/**
 * Which.
 */
sessionId: string, } | { "kind": "conversation", 
/**
 * The session that its calls belong to; `null` is *Unassigned*.
 */
sessionId: string | null, 
/**
 * As the client names it; empty if it does not.
 */
conversation: string, } | { "kind": "agent", 
/**
 * The session that its calls belong to.
 */
sessionId: string, 
/**
 * The thread, as the client names it; empty if it does not.
 */
conversation: string, 
/**
 * The agent, as the client names it.
 */
agent: string, } | { "kind": "budget", 
/**
 * Which.
 */
budgetId: string, } | { "kind": "provider", 
/**
 * The mount's name.
 */
provider: string, } | { "kind": "window", 
/**
 * The mount's name.
 */
provider: string, 
/**
 * Whose it is, as a fingerprint; `null` where requests named nobody.
 */
credential: string | null, 
/**
 * The provider's name for it.
 */
window: string, };

/**
 * One alert, from its beginning to its end, as `GET /api/alerts`, the snapshot and the events show it.
 */
export type AlertView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * The rule's name, e.g. `store.slow`.
 */
rule: Rule, 
/**
 * What it is about.
 */
scope: Scope, 
/**
 * How much it matters.
 */
severity: Severity, 
/**
 * The threshold that was passed, in percent; `null` where the rule has only one.
 */
level: number | null, 
/**
 * What became of it.
 */
status: AlertStatus, 
/**
 * What happened, how much, since when and what to do, as a sentence or two.
 */
message: string, 
/**
 * UTC epoch milliseconds.
 */
raisedAt: number, 
/**
 * When it last got worse, if it did; UTC epoch milliseconds.
 */
worsenedAt: number | null, 
/**
 * UTC epoch milliseconds; `null` while it stands.
 */
clearedAt: number | null, 
/**
 * When the user saw it; UTC epoch milliseconds.
 */
acknowledgedAt: number | null, 
/**
 * Until when it is silent; UTC epoch milliseconds.
 */
snoozedUntil: number | null, };

/**
 * `GET /api/alerts`.
 */
export type AlertsPage = { 
/**
 * The newest first.
 */
alerts: Array<AlertView>, 
/**
 * The cursor of the next page; `null` if this is the last.
 */
next: string | null, };

/**
 * What is watched, and whether the user wants to hear of it.
 */
export type AlertRule = { 
/**
 * Its name.
 */
rule: Rule, 
/**
 * What it is about, as a sentence.
 */
about: string, 
/**
 * Whether the user wants to hear nothing of it.
 */
muted: boolean, };

/**
 * `GET /api/alert-rules`.
 */
export type AlertRules = { 
/**
 * All there are.
 */
rules: Array<AlertRule>, };

/**
 * What a window counts.
 */
export type Kind = "requests" | "tokens" | "input_tokens" | "output_tokens" | "images" | "plan" | "pause" | "other";

/**
 * Whether calls pass, by the provider's word.
 */
export type Standing = "allowed" | "warning" | "rejected";

/**
 * From where to where a number of tokens is thought to lie.
 */
export type IntervalView = { 
/**
 * At least this.
 */
low: number, 
/**
 * At most this; `null` where it may be more without a limit.
 */
high: number | null, };

/**
 * How far a running stream has come.
 */
export type CallProgress = { 
/**
 * The call.
 */
id: string, 
/**
 * About how many tokens it holds so far.
 */
outputSoFar: number, };

/**
 * How far estimates were off, as a share of the truth: 0.02 is 2 %.
 */
export type ErrorsView = { 
/**
 * Half of them were off by less.
 */
median: number, 
/**
 * Nine of ten were.
 */
p90: number, };

/**
 * How good the estimates of one side of a model's calls are.
 */
export type CalibrationView = { 
/**
 * The model, in lower case.
 */
model: string, 
/**
 * `input` or `output`.
 */
side: string, 
/**
 * Which calls are held against each other: `text`, `tools` (with tools) or `media` (with images or sound).
 */
kind: string, 
/**
 * From so many calls whose provider said what they used.
 */
pairs: number, 
/**
 * The truth as a multiple of the estimate by the rules: the middle one.
 */
ratio: number, 
/**
 * One of ten was below this.
 */
ratioLow: number, 
/**
 * One of ten was above this.
 */
ratioHigh: number, 
/**
 * How far the rules alone are off.
 */
byRules: ErrorsView, 
/**
 * How far corrected estimates are off, each corrected by what the others taught; `null` where nothing is
 * corrected: the rules are right, or too little is known.
 */
corrected: ErrorsView | null, };

/**
 * The answer to `GET /api/calibration`.
 */
export type CalibrationPage = { 
/**
 * By model, side and kind.
 */
calibration: Array<CalibrationView>, };

/**
 * How sure the estimated numbers of a call are.
 */
export type EstimateView = { 
/**
 * Where the truth of the whole prompt is thought to lie; `null` where the provider said it.
 */
input: IntervalView | null, 
/**
 * Where that of all that was generated is.
 */
output: IntervalView | null, 
/**
 * Whether something that was used cannot be seen from here, so that the truth may be more without a limit.
 */
lowerBound: boolean, };

/**
 * How a heatmap is laid out.
 */
export type HeatmapKind = "year" | "week";

/**
 * What was used when: `GET /api/analytics/heatmap`.
 */
export type Heatmap = { 
/**
 * How it is laid out.
 */
kind: HeatmapKind, 
/**
 * The zone whose days and hours these are; `null` where it has no name.
 */
timeZone: string | null, 
/**
 * From this moment on, UTC epoch milliseconds.
 */
from: number, 
/**
 * Before this moment.
 */
to: number, 
/**
 * Every cell, also those without a call, in the order of time.
 */
cells: Array<HeatmapCell>, };

/**
 * One day, or one hour of a weekday.
 */
export type HeatmapCell = { 
/**
 * The day, `YYYY-MM-DD`; `null` in a week.
 */
day: string | null, 
/**
 * 1 is Monday.
 */
weekday: number, 
/**
 * 0 to 23; `null` for a day.
 */
hourOfDay: number | null, 
/**
 * Calls that have ended.
 */
requests: number, 
/**
 * Those of them that did not end as `complete`.
 */
errors: number, 
/**
 * All tokens.
 */
total: number, 
/**
 * What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
 */
costNanoUsd: number | null, };

/**
 * What the calls of a group have in common: what `groupBy` named and nothing else. `null`: they have none.
 */
export type UsageKeys = { 
/**
 * The session's id; `null` is none.
 */
session?: string | null, 
/**
 * The mount's name.
 */
provider?: string | null, 
/**
 * The model that answered; if none did, the one that was asked for.
 */
model?: string | null, 
/**
 * The program that called.
 */
client?: string | null, 
/**
 * The client's own thread.
 */
conversation?: string | null, 
/**
 * What was asked for.
 */
operation?: string | null, 
/**
 * Where the numbers are from.
 */
source?: string | null, 
/**
 * How the calls ended.
 */
outcome?: string | null, 
/**
 * When the hour began; UTC epoch milliseconds.
 */
hour?: number, 
/**
 * `2026-11-22` in the zone that was asked for.
 */
day?: string, 
/**
 * 1 is Monday.
 */
weekday?: number, 
/**
 * 0 to 23.
 */
hourOfDay?: number, };

/**
 * Calls that have something in common, and their sums.
 */
export type UsageGroup = { 
/**
 * How long they took together.
 */
durationMs: number, 
/**
 * How much of the prompts was read from a cache; `null` where there was no prompt.
 */
cacheHitShare: number | null, 
/**
 * How much of all tokens has a price.
 */
pricedShare: number | null, 
/**
 * Generated tokens a second.
 */
outputPerSecond: number | null, 
/**
 * Half of the calls took at most this long; to within 5 %, as all of these.
 */
durationP50Ms: number | null, 
/**
 * Nine of ten.
 */
durationP90Ms: number | null, 
/**
 * All but one of a hundred.
 */
durationP99Ms: number | null, 
/**
 * Half of the streamed replies began after at most this long.
 */
ttftP50Ms: number | null, 
/**
 * Nine of ten.
 */
ttftP90Ms: number | null, 
/**
 * All but one of a hundred.
 */
ttftP99Ms: number | null, 
/**
 * The session's id; `null` is none.
 */
session?: string | null, 
/**
 * The mount's name.
 */
provider?: string | null, 
/**
 * The model that answered; if none did, the one that was asked for.
 */
model?: string | null, 
/**
 * The program that called.
 */
client?: string | null, 
/**
 * The client's own thread.
 */
conversation?: string | null, 
/**
 * What was asked for.
 */
operation?: string | null, 
/**
 * Where the numbers are from.
 */
source?: string | null, 
/**
 * How the calls ended.
 */
outcome?: string | null, 
/**
 * When the hour began; UTC epoch milliseconds.
 */
hour?: number, 
/**
 * `2026-11-22` in the zone that was asked for.
 */
day?: string, 
/**
 * 1 is Monday.
 */
weekday?: number, 
/**
 * 0 to 23.
 */
hourOfDay?: number, 
/**
 * Calls that have ended.
 */
requests: number, 
/**
 * Those of them that did not end as `complete`.
 */
errors: number, 
/**
 * Prompt tokens, without cached ones.
 */
input: number, 
/**
 * Prompt tokens read from a cache.
 */
cacheRead: number, 
/**
 * Prompt tokens written to a cache.
 */
cacheWrite: number, 
/**
 * Generated tokens, reasoning included.
 */
output: number, 
/**
 * The part of `output` that was reasoning.
 */
reasoning: number, 
/**
 * All tokens.
 */
total: number, 
/**
 * What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
 */
costNanoUsd: number | null, 
/**
 * Tokens of calls that have no price: they are not in `costNanoUsd`.
 */
unpricedTokens: number, 
/**
 * Those calls: they have numbers, but no price.
 */
unpricedRequests: number, 
/**
 * Tokens whose source is not `exact`.
 */
inexactTokens: number, 
/**
 * Calls of which no token number is known, though the provider did not refuse them.
 */
unknownRequests: number, };

/**
 * What was used in a period: `GET /api/analytics/usage`.
 */
export type UsagePage = { 
/**
 * As it was asked for.
 */
period: string, 
/**
 * The zone that days and hours are cut in; `null` where it has no name.
 */
timeZone: string | null, 
/**
 * UTC epoch milliseconds; `null` is the beginning.
 */
from: number | null, 
/**
 * UTC epoch milliseconds; `null` is now.
 */
to: number | null, 
/**
 * The sums of all groups.
 */
totals: Totals, 
/**
 * By time, then the largest first.
 */
groups: Array<UsageGroup>, };

/**
 * One tool.
 */
export type Tool = { 
/**
 * Stable.
 */
id: string, 
/**
 * As its users call it.
 */
name: string, 
/**
 * What its calls' `client` may be.
 */
clients: Array<string>, 
/**
 * The file that `text` goes into; `null` where it is typed or said in code.
 */
file: string | null, 
/**
 * What `text` is written in: `sh`, `toml`, `json`, `python`, `javascript` or `text`.
 */
language: string, 
/**
 * What to copy.
 */
text: string, 
/**
 * How to undo it.
 */
undo: string, 
/**
 * What else to know.
 */
note: string | null, };

/**
 * `GET /api/connect`.
 */
export type Connect = { 
/**
 * The proxy's address, with the session's prefix where one was asked for.
 */
proxyUrl: string, 
/**
 * Variables that tools read their provider's address from, as they would have to be set.
 */
variables: { [key in string]: string }, 
/**
 * Each tool.
 */
tools: Array<Tool>, };

/**
 * One of a provider's own limit periods.
 */
export type WindowView = { 
/**
 * The provider's name for it: `tokens`, `requests-day`, `5h`, `primary`.
 */
name: string, 
/**
 * What it counts.
 */
kind: Kind, 
/**
 * How long it lasts; `null` where the provider does not say.
 */
periodMs: number | null, 
/**
 * How much may be used in it.
 */
limit: number | null, 
/**
 * How much of that is left.
 */
remaining: number | null, 
/**
 * How much of it is used, in thousandths.
 */
usedPermille: number | null, 
/**
 * Whether calls pass, by the provider's word.
 */
status: Standing | null, 
/**
 * Whether the provider says that it is this window, of several, that decides.
 */
deciding: boolean, 
/**
 * When it begins anew; UTC epoch milliseconds.
 */
resetsAt: number | null, 
/**
 * When a reply last told of it; UTC epoch milliseconds.
 */
seenAt: number, 
/**
 * Whether it has begun anew since: what is left of it is not known.
 */
stale: boolean, };

/**
 * The windows of one credential at one provider, as `GET /api/limits`, the snapshot and the events show them.
 */
export type LimitsView = { 
/**
 * The mount's name.
 */
provider: string, 
/**
 * Tells one credential from another, and leads back to none; `null` where requests named nobody.
 */
credential: string | null, 
/**
 * When a reply last told of any of them; UTC epoch milliseconds.
 */
seenAt: number, 
/**
 * The windows, by name. None of them: they are forgotten.
 */
windows: Array<WindowView>, };

/**
 * How a target is spoken to.
 */
export type TargetKind = "webhook" | "slack" | "discord" | "desktop";

/**
 * Who is told of alerts, and how that went. Where exactly, and the secret, are not shown.
 */
export type NotificationTarget = { 
/**
 * Its name in the configuration.
 */
name: string, 
/**
 * How it is spoken to.
 */
kind: TargetKind, 
/**
 * Its scheme and host; `null` for the desktop.
 */
place: string | null, 
/**
 * Whether messages to it are signed.
 */
signed: boolean, 
/**
 * What matters less is not told.
 */
severity: Severity, 
/**
 * Only these rules; none of them is all.
 */
rules: Array<Rule>, 
/**
 * When something last arrived; UTC epoch milliseconds.
 */
lastDeliveryAt: number | null, 
/**
 * Why the last attempt failed; `null` if it did not.
 */
lastError: string | null, 
/**
 * When it failed; UTC epoch milliseconds.
 */
lastErrorAt: number | null, 
/**
 * How many have arrived since the start.
 */
delivered: number, 
/**
 * How many were given up, or found too many waiting.
 */
givenUp: number, 
/**
 * How many wait.
 */
waiting: number, };

/**
 * What `GET /api/notifications` answers.
 */
export type NotificationTargets = { 
/**
 * In the configuration's order.
 */
targets: Array<NotificationTarget>, };

/**
 * What became of a test.
 */
export type NotificationTest = { 
/**
 * Whether it arrived.
 */
delivered: boolean, 
/**
 * Why not.
 */
error: string | null, };

/**
 * Who said what a setting is.
 */
export type SettingSource = { "kind": "default" } | { "kind": "file", 
/**
 * The file.
 */
file: string, 
/**
 * The line, from 1.
 */
line: number, } | { "kind": "environment", 
/**
 * The variable.
 */
variable: string, } | { "kind": "flag", 
/**
 * The flag.
 */
flag: string, };

/**
 * One setting.
 */
export type SettingView = { 
/**
 * The key in a configuration file, with its table: `server.port`; a variable's name where only the environment
 * has it.
 */
name: string, 
/**
 * What is set; `null` where nothing is. Never a secret: what stands for one is `•••`.
 */
value: unknown, 
/**
 * What holds if nobody says otherwise.
 */
default: unknown, 
/**
 * Who said it.
 */
source: SettingSource, 
/**
 * What it means, in one line.
 */
meaning: string, 
/**
 * The variable that sets it.
 */
variable: string | null, 
/**
 * The flag that sets it.
 */
flag: string | null, 
/**
 * Whether Moonlock has to be started again for a change to hold.
 */
needsRestart: boolean, 
/**
 * Whether `PATCH /api/settings` changes it: neither the file's own affair nor set by the environment or a flag.
 */
changeable: boolean, 
/**
 * Whether it was changed since the start and holds from the next one on.
 */
pending: boolean, };

/**
 * Every setting, as `/api/settings` and `moonlock config --json` show them.
 */
export type SettingsView = { 
/**
 * The user's configuration file, if there is one.
 */
file: string | null, 
/**
 * Whether some were changed that hold only when Moonlock is started again.
 */
restartNeeded: boolean, 
/**
 * By the parts that they belong to; then the mounts, the user's own prices, who is told of alerts, and the environment's own.
 */
settings: Array<SettingView>, };

/**
 * One copy of the history.
 */
export type BackupView = { 
/**
 * When it was made; UTC epoch milliseconds.
 */
at: number, 
/**
 * The file's name.
 */
file: string, 
/**
 * Its length.
 */
bytes: number, };

/**
 * What `/api/storage` answers. Calls are kept until the user deletes them, or for as long as the user says; their sums are
 * kept either way.
 */
export type StorageView = { 
/**
 * The database.
 */
path: string, 
/**
 * How large it is, with what waits in its log.
 */
bytes: number, 
/**
 * How many calls are in the sums.
 */
calls: number, 
/**
 * When the oldest call began; UTC epoch milliseconds. `null` where there is none.
 */
oldestCallAt: number | null, 
/**
 * How many days single calls are kept; `null`: for ever.
 */
keepCallsDays: number | null, 
/**
 * Calls that began before this moment are no longer kept, but for those of sessions that last; UTC epoch milliseconds.
 * `null` where all are. Their sums are.
 */
callsSince: number | null, 
/**
 * How much room is free inside the database: it does not shrink, what comes next is written there.
 */
freeBytes: number, 
/**
 * Whether a copy is made every day.
 */
dailyBackups: boolean, 
/**
 * How many days a daily copy is kept.
 */
keepDays: number, 
/**
 * Where the copies are.
 */
directory: string, 
/**
 * The newest of them, daily or not; `null` where there is none.
 */
lastBackup: BackupView | null, };

/**
 * The live state: `GET /api/live`, and the WebSocket's `snapshot`.
 */
export type Snapshot = { 
/**
 * The number of the last event that this state includes.
 */
seq: number, 
/**
 * The server's wall clock, UTC epoch milliseconds.
 */
at: number, 
/**
 * Moonlock's version.
 */
version: string, 
/**
 * The proxy's base URL, e.g. `http://127.0.0.1:3002`.
 */
proxyUrl: string, 
/**
 * The sessions whose clock runs or is paused, and the most recent completed ones; newest first.
 */
sessions: Array<SessionView>, 
/**
 * The calls of *Unassigned*.
 */
unassigned: Totals, 
/**
 * Running calls and the most recent ended ones, newest first.
 */
calls: Array<CallView>, 
/**
 * Alerts that stand, the newest first.
 */
alerts: Array<AlertView>, 
/**
 * The providers' own limits, as they last told of them.
 */
limits: Array<LimitsView>, 
/**
 * The shares at which budgets and limits alert, in percent, rising. A budget also does at 100.
 */
alertAtPercent: Array<number>, };

/**
 * The answer to `POST /api/calls/move`.
 */
export type MovedCalls = { 
/**
 * How many were moved. Those that were there already are not among them.
 */
moved: number, 
/**
 * Whether more calls match than one request moves: say it again to move them as well.
 */
more: boolean, 
/**
 * The sessions that lost or got calls, as they are now.
 */
sessions: Array<SessionView>, 
/**
 * The sums of *Unassigned* now.
 */
unassigned: Totals, };

/**
 * What changed. `kind` and `data` of an event.
 */
export type Change = { "kind": "session", "data": SessionView } | { "kind": "checkpoint", "data": CheckpointView } | { "kind": "call.started", "data": CallView } | { "kind": "call.finished", "data": { 
/**
 * The call.
 */
call: CallView, 
/**
 * The sums of its session, or of *Unassigned*.
 */
totals: Totals, } } | { "kind": "calls.grew", "data": { 
/**
 * Which, and how far.
 */
calls: Array<CallProgress>, } } | { "kind": "calls.moved", "data": { 
/**
 * Which.
 */
calls: string[], 
/**
 * The session they belonged to; `null` is *Unassigned*.
 */
from: string | null, 
/**
 * The session they belong to now.
 */
to: string | null, 
/**
 * The sums of *Unassigned* now.
 */
unassigned: Totals, } } | { "kind": "session.deleted", "data": { 
/**
 * What becomes of its calls.
 */
calls: CallsFate, } } | { "kind": "calls.imported", "data": { 
/**
 * How many are new or have changed.
 */
calls: number, 
/**
 * The sums of *Unassigned* now.
 */
unassigned: Totals, } } | { "kind": "forecast", "data": Foretold } | { "kind": "alert", "data": AlertView } | { "kind": "limits", "data": LimitsView } | { "kind": "alerts.at", "data": { 
/**
 * The shares, in percent, rising.
 */
percent: Array<number>, } };

/**
 * One event of the stream.
 */
export type Event = { 
/**
 * Its number; each event's is one more than that of the one before.
 */
seq: number, 
/**
 * UTC epoch milliseconds.
 */
at: number, 
/**
 * The session it is about, if any.
 */
sessionId: string | null, } & ({ "kind": "session", "data": SessionView } | { "kind": "checkpoint", "data": CheckpointView } | { "kind": "call.started", "data": CallView } | { "kind": "call.finished", "data": { 
/**
 * The call.
 */
call: CallView, 
/**
 * The sums of its session, or of *Unassigned*.
 */
totals: Totals, } } | { "kind": "calls.grew", "data": { 
/**
 * Which, and how far.
 */
calls: Array<CallProgress>, } } | { "kind": "calls.moved", "data": { 
/**
 * Which.
 */
calls: string[], 
/**
 * The session they belonged to; `null` is *Unassigned*.
 */
from: string | null, 
/**
 * The session they belong to now.
 */
to: string | null, 
/**
 * The sums of *Unassigned* now.
 */
unassigned: Totals, } } | { "kind": "session.deleted", "data": { 
/**
 * What becomes of its calls.
 */
calls: CallsFate, } } | { "kind": "calls.imported", "data": { 
/**
 * How many are new or have changed.
 */
calls: number, 
/**
 * The sums of *Unassigned* now.
 */
unassigned: Totals, } } | { "kind": "forecast", "data": Foretold } | { "kind": "alert", "data": AlertView } | { "kind": "limits", "data": LimitsView } | { "kind": "alerts.at", "data": { 
/**
 * The shares, in percent, rising.
 */
percent: Array<number>, } });

/**
 * What the server says over the WebSocket.
 */
export type ServerMessage = { "type": "hello", 
/**
 * Moonlock's version.
 */
version: string, 
/**
 * The server's wall clock, UTC epoch milliseconds.
 */
at: number, 
/**
 * How often the server pings.
 */
heartbeatMs: number, } | { "type": "snapshot" } & Snapshot | { "type": "event" } & Event | { "type": "pong", 
/**
 * The server's wall clock, UTC epoch milliseconds.
 */
at: number, } | { "type": "error", 
/**
 * What was wrong, and what would be right.
 */
message: string, };
