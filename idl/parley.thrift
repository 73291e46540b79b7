/**
 * Parley's generic services. A project's own contract (see penguins.thrift) includes this file.
 *
 * Conventions
 *  - Every method takes one request struct and returns one response struct, so both can grow.
 *  - Every struct field is optional on the wire; "required" below is checked by the server, which answers
 *    INVALID_INPUT with the field's path. Field ids are never reused, enum value 0 is never a valid choice.
 *  - Units stand in the name (timeout_ms, size_bytes). Times are microseconds since the Unix epoch, UTC.
 *  - A version is the lowercase hex SHA-256 of the model's stored envelope: equal digest, equal model.
 *  - On one port every service is reachable as "Service:method" (TMultiplexedProtocol). Method names are unique across
 *    the services of this file, so plain "method" reaches them too; a contract's service is reachable by plain names
 *    only when it is the server's default service, and never hides a name of this file.
 */

namespace js parley
namespace py parley
namespace go parley
namespace java dev.parley
namespace cpp parley

// ---------------------------------------------------------------- shared

typedef i64 Timestamp      // microseconds since the Unix epoch
typedef string Version     // lowercase hex SHA-256, 64 characters; unique prefixes of 8 or more are accepted in requests

struct RequestContext {
  1: optional string request_id           // echoed in answers, logs and errors; the server makes one when absent
  2: optional i32 timeout_ms              // relative to arrival; work that has not started by then is dropped
  3: optional string auth_token
  4: optional map<string, string> trace   // W3C trace context: "traceparent", "tracestate"
}

enum ErrorCode {
  UNSPECIFIED = 0
  INVALID_INPUT = 1            // the request does not fit the contract; `problems` says where
  NOT_FOUND = 2                // no such model, version, alias, run or prediction
  UNAUTHENTICATED = 3
  PERMISSION_DENIED = 4
  OVERLOADED = 5               // queue full; retry after retry_after_ms
  DEADLINE_EXCEEDED = 6        // dropped before it ran
  CONTRACT_MISMATCH = 7        // a model or a client does not fit the contract, or a new contract breaks its callers
  NOT_ACCEPTED = 8             // this digest has not passed its contract's acceptance suite
  CONFLICT = 9                 // an expected state (alias, run) had already changed, or an alias is held
  STORE_UNAVAILABLE = 10       // Redis cannot be reached or refuses writes; loaded models go on serving
  MODEL_BROKEN = 11            // stored bytes do not match their digest, or the runtime refuses the graph
  SHUTTING_DOWN = 12
  UNSUPPORTED = 13             // valid, and this server cannot do it
  INTERNAL = 14                // a defect; details are in the server's log under request_id
}

struct Problem {
  1: optional string path                 // "penguin.bill_length_mm", "inputs[2].shape"
  2: optional string message              // "must be between 20 and 80 mm"
  3: optional string got                  // the offending value, shortened
}

exception ParleyError {
  1: optional ErrorCode code
  2: optional string message
  3: optional bool retryable
  4: optional i32 retry_after_ms
  5: optional list<Problem> problems
  6: optional string request_id
}

enum DataType {
  UNSPECIFIED = 0
  FLOAT32 = 1
  FLOAT64 = 2
  INT8 = 3
  INT16 = 4
  INT32 = 5
  INT64 = 6
  UINT8 = 7
  UINT16 = 8
  UINT32 = 9
  UINT64 = 10
  BOOL = 11
  FLOAT16 = 12
  STRING = 13
}

/** A dense array, row-major, little-endian. `data` comes last so that a reader can know its size and type first. */
struct Tensor {
  1: optional string name
  2: optional DataType data_type
  3: optional list<i64> shape             // every extent >= 0; their product times the element size equals data's length
  4: optional list<string> strings        // STRING only, in place of data
  5: optional binary data
}

struct TensorSpec {
  1: optional string name
  2: optional DataType data_type
  3: optional list<i64> shape             // -1: any extent (the batch)
}

// ---------------------------------------------------------------- predict

/** Which model answered, and what it cost. */
struct Provenance {
  1: optional string prediction_id        // names this answer when its true label arrives; row i of a request of several
                                          // rows is "<prediction_id>/<i>", and typed answers carry their row's own id
  2: optional string model
  3: optional Version version
  4: optional string alias_name // the alias that led here, when one did
  5: optional i32 queue_us
  6: optional i32 compute_us
  7: optional bool cached
}

struct PredictRequest {
  1: optional RequestContext context
  2: optional string model                // required
  3: optional string reference            // an alias or a version; "production" when absent
  4: optional string routing_key          // equal keys meet the same version while a canary is running
  5: optional list<string> outputs        // which outputs to return; all when absent
  6: optional list<Tensor> inputs         // required
}

struct PredictResponse {
  1: optional Provenance provenance
  2: optional list<Tensor> outputs
}

struct DescribeRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional string reference
}

struct DescribeResponse {
  1: optional string model
  2: optional Version version
  3: optional string model_type
  4: optional list<TensorSpec> inputs
  5: optional list<TensorSpec> outputs
  6: optional string contract_service     // the typed service that this model answers, e.g. "Penguins"
  7: optional string contract_fingerprint
  8: optional map<string, string> type_fields   // the model type's own, as docs/redis-schema.md names them: "classes", "lags"
}

service Prediction {
  PredictResponse predict(1: PredictRequest request) throws (1: ParleyError error)
  DescribeResponse describe(1: DescribeRequest request) throws (1: ParleyError error)
}

// ---------------------------------------------------------------- train

enum RunState {
  UNSPECIFIED = 0
  QUEUED = 1
  RUNNING = 2
  SUCCEEDED = 3
  FAILED = 4
  CANCELLED = 5
}

struct TrainRequest {
  1: optional RequestContext context
  2: optional string project              // required: a project that the server has registered
  3: optional map<string, string> overrides   // "trainer.learning_rate" -> "0.1"; recorded with the run
  4: optional i64 seed
}

struct Run {
  1: optional string run_id
  2: optional string project
  3: optional RunState state
  4: optional double progress             // 0 to 1
  5: optional string stage                // "read", "features", "search", "fit", "evaluate", "publish"
  6: optional map<string, double> metrics // "test.precision", "test.recall", "fit.rows_per_s"
  7: optional Version version             // what it published, once it did
  8: optional string configuration_json   // everything that made it: query, data fingerprint, features, trainer, seed, versions
  9: optional ParleyError failure
 10: optional Timestamp created_at
 11: optional Timestamp started_at
 12: optional Timestamp finished_at
}

struct TrainResponse { 1: optional Run run }

struct RunRequest {
  1: optional RequestContext context
  2: optional string run_id               // required
}

struct WatchRunRequest {
  1: optional RequestContext context
  2: optional string run_id               // required
  3: optional i64 after                   // the last sequence number seen
  4: optional i32 wait_ms                 // how long to wait for the next event; at most 30000
}

struct RunEvent {
  1: optional i64 sequence
  2: optional Timestamp at
  3: optional string stage
  4: optional double progress
  5: optional string message
  6: optional map<string, double> metrics
}

struct WatchRunResponse {
  1: optional Run run
  2: optional list<RunEvent> events
}

struct ListRunsRequest {
  1: optional RequestContext context
  2: optional string project
  3: optional i32 limit                   // 50 when absent
  4: optional string page_token
}

struct ListRunsResponse {
  1: optional list<Run> runs              // newest first
  2: optional string next_page_token
}

/** Makes a project known to every worker on this store: its contract must be in force, its source reachable from them. */
struct RegisterProjectRequest {
  1: optional RequestContext context
  2: optional string project
  3: optional string configuration_yaml   // the project's parley.yaml
}
struct RegisterProjectResponse {
  1: optional string project
  2: optional string fingerprint
}

service Training {
  RegisterProjectResponse register_project(1: RegisterProjectRequest request) throws (1: ParleyError error)
  TrainResponse train(1: TrainRequest request) throws (1: ParleyError error)
  TrainResponse get_run(1: RunRequest request) throws (1: ParleyError error)
  WatchRunResponse watch_run(1: WatchRunRequest request) throws (1: ParleyError error)
  TrainResponse cancel_run(1: RunRequest request) throws (1: ParleyError error)
  ListRunsResponse list_runs(1: ListRunsRequest request) throws (1: ParleyError error)
}

// ---------------------------------------------------------------- registry

struct ModelVersion {
  1: optional string model
  2: optional Version version
  3: optional string model_type
  4: optional i64 size_bytes
  5: optional Timestamp published_at
  6: optional string run_id               // the first run that made it
  7: optional map<string, double> metrics
  8: optional string contract_fingerprint // of the contract that it is bound to
  9: optional bool accepted               // has passed the acceptance suite of the contract in force, or of one that differs
                                          // from it in nothing that was tested
 10: optional list<string> aliases        // that point here now
 11: optional string description
 12: optional bool retired                // out of reach: can be neither promoted nor called
 13: optional list<string> canary_aliases // beside whose version this one runs as a canary
 14: optional list<string> held_aliases   // of the aliases that point here, those that are held
 15: optional map<string, string> type_fields   // the model type's own, as docs/redis-schema.md names them: text as it is,
                                          // everything else as JSON
}

/** One line of a model's ledger; lines are only ever appended. */
struct LedgerEntry {
  1: optional i64 sequence
  2: optional Timestamp at
  3: optional string action               // "publish", "accept", "reject", "promote", "rollback", "canary", "canary_end",
                                          // "hold", "release", "retire", "prune", "import", "contract", "propose",
                                          // "withdraw"
  4: optional string alias_name
  5: optional Version version
  6: optional Version previous_version
  7: optional string actor                // the token's name, or the operating system's user where no tokens are used
  8: optional string reason
  9: optional double canary_weight
 10: optional string contract_fingerprint
 11: optional string fixture_fingerprint
 12: optional string evidence_json        // what an automatic act was based on
 13: optional string environment          // of the process that wrote the line, where it has a name: "staging"
 14: optional string previous_contract_fingerprint   // of the contract that was in force before ("contract"); or of the one
                                          // that the version was accepted under, where that is an earlier one that differs
                                          // in nothing that was tested ("promote", "canary")
 15: optional string proposed_by          // whose proposal was agreed to ("contract") or withdrawn ("withdraw")
}

struct BeginUploadRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional i64 size_bytes
}
struct BeginUploadResponse {
  1: optional string upload_id
  2: optional i32 part_bytes              // the largest part that the server takes
}
struct UploadPartRequest {
  1: optional RequestContext context
  2: optional string upload_id
  3: optional i64 offset
  4: optional binary data
}
struct UploadPartResponse { 1: optional i64 received_bytes }

struct PublishRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional string upload_id
  4: optional string model_type           // deduced from the graph and the contract when absent
  5: optional string contract_service     // the typed service that the model is to answer
  6: optional string run_id
  7: optional map<string, double> metrics
  8: optional string description
  9: optional string reference_upload_id  // training rows (Parquet), from which drift is later measured
 10: optional string run_configuration_json // what made it, as Run.configuration_json; kept under run_id
 11: optional string expected_upload_id   // MessagePack {rows, outputs}: rows and the trainer's own answers to them, which
                                          // the stored graph must repeat to 1e-5 before it is published
 12: optional string metadata_json        // of a plain graph: an object of the model type's own fields, over what the graph
                                          // says in its metadata_props
}
struct PublishResponse { 1: optional ModelVersion version }

struct VersionsRequest {
  1: optional RequestContext context
  2: optional string model                // all models when absent
  3: optional i32 limit
  4: optional string page_token
}
struct VersionsResponse {
  1: optional list<ModelVersion> versions // newest first
  2: optional string next_page_token
}

struct PromoteRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional Version version
  4: optional string alias_name // "production" when absent
  5: optional Version expected_version    // CONFLICT when the alias points elsewhere by now
  6: optional string reason
  7: optional double canary_weight        // 0 to 1: the share of the alias's traffic; absent: all of it. Between 0 and 1 the
                                          // version runs as a canary beside the alias's own; 0 ends the canary
}
struct RollbackRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional string alias_name
  4: optional Version to_version          // the version before the current one when absent; while a canary runs, absent
                                          // ends the canary and the alias stays where it is
  5: optional string reason
}
struct AliasResponse { 1: optional LedgerEntry entry }

struct HistoryRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional string alias_name
  4: optional Timestamp at                // only what was in force at that time: two entries while a canary ran
  5: optional i32 limit
}
struct HistoryResponse { 1: optional list<LedgerEntry> entries }   // newest first

/** Runs the contract's acceptance suite and records the verdict for exactly this digest. */
struct AcceptRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional Version version
}
struct Criterion {
  1: optional string name                 // "recall"
  2: optional string bound                // ">= 0.95"
  3: optional double measured
  4: optional bool passed
  5: optional double interval_low
  6: optional double interval_high
  7: optional i64 rows
  8: optional string slice                // "sex=FEMALE"; absent: all rows
  9: optional double compared             // the baseline's or production's figure, where the bound is relative
 10: optional string note                 // which rows break a check, what there was to compare with
}
struct AcceptResponse {
  1: optional bool accepted
  2: optional list<Criterion> criteria
  3: optional i64 fixture_rows
  4: optional string fixture_fingerprint
  5: optional string contract_fingerprint
  6: optional string checks_fingerprint   // absent: there are no checks
}

struct HoldRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional string alias_name
  4: optional string reason
}
struct RetireRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional Version version
  4: optional string reason
}
struct PruneRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional i32 keep                    // required: the newest that are kept; what was ever promoted is kept in any case
  4: optional bool dry_run
  5: optional string reason
}
struct PruneResponse { 1: optional list<ModelVersion> removed }   // oldest first
struct AliasesRequest {
  1: optional RequestContext context
  2: optional string model
}
struct AliasState {
  1: optional string alias_name
  2: optional Version version
  3: optional Version canary_version
  4: optional double canary_weight
  5: optional bool held
  6: optional LedgerEntry last_change
}
struct AliasesResponse { 1: optional list<AliasState> aliases }

struct ContractDifference {
  1: optional string path                 // "Penguin.bill_length_mm"
  2: optional bool breaking               // for callers: "callers" is among `breaks`
  3: optional string message              // what is different, with both values
  4: optional string kind                 // the rule's name: "field-removed", "range-narrowed"
  5: optional string why                  // what it breaks and why, or why it breaks nothing
  6: optional list<string> breaks         // "callers", "models", "source"; empty: compatible
  7: optional bool touches_verdict        // what was tested is different: versions must be accepted again
}

/** Puts a contract in force. Its fixtures travel as an upload, so that any server can run the acceptance suite. */
struct PublishContractRequest {
  1: optional RequestContext context
  2: optional string idl
  3: optional string fixtures_upload_id
  4: optional string fixtures_format      // "csv", "jsonl", "parquet"
  5: optional string allow_breaking       // the reason, when callers of the contract in force may break
  6: optional map<string, string> includes   // file name -> text of every included file but parley.thrift
  7: optional string checks_yaml          // invariances, directions and exact cases of the acceptance suite
  8: optional bool propose                // only store it as a proposal, which agree_contract by somebody else puts in force
  9: optional string reason               // why; goes into the ledger
}
struct PublishContractResponse {
  1: optional string model
  2: optional list<string> services
  3: optional string fingerprint
  4: optional string fixture_fingerprint
  5: optional list<ContractDifference> differences   // from the contract that was in force
  6: optional bool proposed               // it waits for somebody's agreement, and is not in force yet
  7: optional bool verdicts_stand         // versions that were accepted under the contract before stay accepted; absent where
                                          // there was none
}

/** A contract that one side has proposed and the other has not yet agreed to. */
struct ContractProposal {
  1: optional string model
  2: optional string fingerprint
  3: optional list<string> services
  4: optional string proposed_by
  5: optional Timestamp at
  6: optional string reason
  7: optional string previous_contract_fingerprint   // of the contract in force that it was compared with
  8: optional string fixture_fingerprint
  9: optional string allow_breaking       // why callers of the contract in force may break
 10: optional list<ContractDifference> differences   // from that contract
 11: optional string idl
 12: optional map<string, string> includes
}
/** Puts a proposed contract in force. Refused to the one who proposed it, and once another contract is in force. */
struct AgreeContractRequest {
  1: optional RequestContext context
  2: optional string model                // required
  3: optional string fingerprint          // required; the first 8 or more characters will do
  4: optional string reason
  5: optional string fixture_fingerprint  // of what was looked at, or its first 8 or more: CONFLICT where the proposal has others by now
}
struct WithdrawContractRequest {
  1: optional RequestContext context
  2: optional string model                // required
  3: optional string fingerprint          // required; the first 8 or more characters will do
  4: optional string reason
}
struct ProposalsRequest {
  1: optional RequestContext context
  2: optional string model                // all models when absent
}
struct ProposalsResponse { 1: optional list<ContractProposal> proposals }   // oldest first

service Registry {
  PublishContractResponse publish_contract(1: PublishContractRequest request) throws (1: ParleyError error)
  PublishContractResponse agree_contract(1: AgreeContractRequest request) throws (1: ParleyError error)
  AliasResponse withdraw_contract(1: WithdrawContractRequest request) throws (1: ParleyError error)
  ProposalsResponse contract_proposals(1: ProposalsRequest request) throws (1: ParleyError error)
  BeginUploadResponse begin_upload(1: BeginUploadRequest request) throws (1: ParleyError error)
  UploadPartResponse upload_part(1: UploadPartRequest request) throws (1: ParleyError error)
  PublishResponse publish(1: PublishRequest request) throws (1: ParleyError error)
  VersionsResponse list_versions(1: VersionsRequest request) throws (1: ParleyError error)
  AcceptResponse accept(1: AcceptRequest request) throws (1: ParleyError error)
  AliasResponse promote(1: PromoteRequest request) throws (1: ParleyError error)
  AliasResponse rollback(1: RollbackRequest request) throws (1: ParleyError error)
  AliasResponse hold(1: HoldRequest request) throws (1: ParleyError error)
  AliasResponse release(1: HoldRequest request) throws (1: ParleyError error)
  AliasResponse retire(1: RetireRequest request) throws (1: ParleyError error)
  PruneResponse prune(1: PruneRequest request) throws (1: ParleyError error)
  AliasesResponse aliases(1: AliasesRequest request) throws (1: ParleyError error)
  HistoryResponse history(1: HistoryRequest request) throws (1: ParleyError error)
}

// ---------------------------------------------------------------- feedback

struct Label {
  1: optional string prediction_id
  2: optional string value                // a class as the contract's `label` annotation spells it, or a decimal number
  3: optional Timestamp observed_at
  4: optional string annotator            // a later label by the same annotator supersedes the earlier; both are kept
  5: optional string key                  // in place of prediction_id: the value of the contract's field with role "id"
}
struct RecordLabelsRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional list<Label> labels
}
struct RecordLabelsResponse {
  1: optional i32 recorded                // newly stored; repeats of the same label are not counted twice
  2: optional list<Problem> rejected
}
struct LiveMetricsRequest {
  1: optional RequestContext context
  2: optional string model
  3: optional Version version             // each version apart when absent
  4: optional Timestamp from_time
  5: optional Timestamp to_time
  6: optional string slice                // "sex=FEMALE"
  7: optional i64 window_us               // rows per window of this length; one row for the whole span when absent
}
struct LiveMetrics {
  1: optional Version version
  2: optional string alias_name
  3: optional i64 predictions
  4: optional i64 labelled
  5: optional map<string, double> metrics // "precision", "recall", "f1", "brier", "rmse", "latency_p99_ms"
  6: optional map<string, double> drift   // feature -> population stability index against the training data
  7: optional map<string, double> interval_low
  8: optional map<string, double> interval_high
  9: optional map<string, double> expected   // estimated from calibrated probabilities, before labels
 10: optional string environment          // the server's --environment
 11: optional string slice
 12: optional Timestamp from_time
 13: optional Timestamp to_time
}
struct LiveMetricsResponse { 1: optional list<LiveMetrics> rows }

service Feedback {
  RecordLabelsResponse record_labels(1: RecordLabelsRequest request) throws (1: ParleyError error)
  LiveMetricsResponse live_metrics(1: LiveMetricsRequest request) throws (1: ParleyError error)
}

// ---------------------------------------------------------------- operations

struct PingRequest { 1: optional RequestContext context }
struct PingResponse {
  1: optional string server_version
  2: optional bool ready                  // models are loaded and the store answers, or answered when they were loaded
  3: optional bool store_connected        // false at the latest two seconds after the store was cut off, a silent connection included
  4: optional list<string> services       // every service on this port, the typed ones included
  5: optional double store_heard_seconds_ago   // since the store last answered; about a second at most while it is connected
  6: optional list<string> lagging_models // known to have changed, and answered as before: a version is being loaded, or does not load
}
struct ContractRequest {
  1: optional RequestContext context
  2: optional string service_name         // "Penguins"; the whole catalogue when absent, or with `idl` what that file serves
  3: optional string idl                  // the caller's own text: the answer says whether it can talk to this server
  4: optional map<string, string> includes   // of that text: file name -> text of every included file but parley.thrift
}
struct ContractResponse {
  1: optional string idl
  2: optional string fingerprint          // of the contract's meaning: comments, order and spacing do not change it
  3: optional bool compatible             // of the request's `idl`: false where a difference breaks callers
  4: optional list<ContractDifference> differences   // from the request's `idl` to what the server runs
  5: optional map<string, string> includes   // file name -> text of every included file but parley.thrift
}

service Operations {
  PingResponse ping(1: PingRequest request) throws (1: ParleyError error)
  ContractResponse contract(1: ContractRequest request) throws (1: ParleyError error)
}
