//! Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
//!
//!     probe HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]
//!
//! The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in
//! every language: see answers.ts. It is built as a second program of the example's package.
use std::collections::BTreeMap;
use std::env;
use std::fs;

use serde_json::{json, Value};
use thrift::protocol::{TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol, TStructIdentifier};
use thrift::OrderedFloat;

#[path = "../connection.rs"]
mod connection;
#[path = "../../gen-rs/parley.rs"]
mod parley;
#[path = "../../gen-rs/penguins.rs"]
mod penguins;

use connection::Connection;
use parley::*;
use penguins::{Identified, Penguin, PenguinsSyncClient, TPenguinsSyncClient};

const NAMES: [&str; 6] = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "island", "sex"];

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let words = &arguments[5..];
    let has = |word: &str| words.iter().any(|one| one == word);
    let value_of = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let open = Connection::open(&arguments[1], has("compact"), has("multiplexed"), value_of("ca=")).unwrap();
    let rows: Vec<Value> =
        fs::read_to_string(&arguments[2]).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let model = || Some("penguins".to_string());

    let (input, output) = open.protocols("Penguins");
    let mut client = PenguinsSyncClient::new(input, output);
    let (input, output) = open.protocols("Prediction");
    let mut prediction = PredictionSyncClient::new(input, output);
    let (input, output) = open.protocols("Registry");
    let mut registry = RegistrySyncClient::new(input, output);
    let (input, output) = open.protocols("Training");
    let mut training = TrainingSyncClient::new(input, output);
    let (input, output) = open.protocols("Feedback");
    let mut feedback = FeedbackSyncClient::new(input, output);
    let (input, output) = open.protocols("Operations");
    let mut operations = OperationsSyncClient::new(input, output);

    if let Some(token) = value_of("token=") {
        // The connection is known by it from here on.
        let context = Some(RequestContext { auth_token: Some(token.to_string()), ..Default::default() });
        operations.ping(PingRequest { context }).unwrap();
    }
    let many = client.identify_many(rows.iter().map(penguin).collect(), RequestContext::default()).unwrap();
    let described = prediction.describe(DescribeRequest { model: model(), ..Default::default() }).unwrap();
    let predicted = prediction.predict(PredictRequest {
        model: model(),
        inputs: Some(described.inputs.iter().flatten().map(|spec| tensor(spec, &rows)).collect()),
        ..Default::default()
    });
    let versions = registry.list_versions(VersionsRequest { model: model(), ..Default::default() }).unwrap();
    let history = registry.history(HistoryRequest { model: model(), ..Default::default() }).unwrap();
    let contract = operations
        .contract(ContractRequest { service_name: Some("Penguins".to_string()), ..Default::default() })
        .unwrap();
    let mut giant = penguin(&rows[1]);
    giant.bill_length_mm = Some(OrderedFloat(4650.0));
    let refused = refusal(client.identify_many(vec![penguin(&rows[0]), giant], probing().unwrap()));
    let unknown = call_unknown(&open, &mut operations);
    let answers = json!({
        "many": many.iter().map(identified).collect::<Vec<_>>(),
        "refused": refused,
        "unknown": unknown,
        "described": {
            "version": described.version,
            "inputs": specs(&described.inputs),
            "outputs": specs(&described.outputs),
        },
        "predicted": prediction_of(predicted.unwrap()),
        "versions": { "versions": versions.versions.iter().flatten().map(version_of).collect::<Vec<_>>() },
        "history": entries(history),
        "ping": ping_of(operations.ping(PingRequest::default()).unwrap()),
        "contract": { "idl": contract.idl, "fingerprint": contract.fingerprint },
        "registry": publish(&mut registry, &mut prediction, fs::read(&arguments[3]).unwrap(), &arguments[4]),
        "not_found": refusal(prediction.describe(DescribeRequest {
            context: probing(),
            model: Some("walruses".to_string()),
            ..Default::default()
        })),
        "no_runs": refusal(training.list_runs(ListRunsRequest { context: probing(), ..Default::default() })),
        "no_labels": refusal(feedback.record_labels(RecordLabelsRequest {
            context: probing(),
            model: model(),
            ..Default::default()
        })),
    });
    println!("{answers}");
}

fn probing() -> Option<RequestContext> {
    Some(RequestContext { request_id: Some("probe".to_string()), ..Default::default() })
}

/// From an upload to a version behind an alias, which is held against a promotion and released.
fn publish(
    registry: &mut impl TRegistrySyncClient,
    prediction: &mut impl TPredictionSyncClient,
    graph: Vec<u8>,
    name: &str,
) -> Value {
    let model = Some(name.to_string());
    let alias_name = Some("candidate".to_string());
    let size_bytes = Some(graph.len() as i64);
    let begun =
        registry.begin_upload(BeginUploadRequest { model: model.clone(), size_bytes, ..Default::default() }).unwrap();
    let part = registry
        .upload_part(UploadPartRequest {
            upload_id: begun.upload_id.clone(),
            offset: Some(0),
            data: Some(graph),
            ..Default::default()
        })
        .unwrap();
    let published = registry
        .publish(PublishRequest {
            model: model.clone(),
            upload_id: begun.upload_id.clone(),
            metrics: Some(BTreeMap::from([("test.mae".to_string(), OrderedFloat(0.25))])),
            description: Some("by a probe".to_string()),
            ..Default::default()
        })
        .unwrap();
    let version = published.version.clone().unwrap().version;
    let promotion = PromoteRequest {
        context: probing(),
        model: model.clone(),
        version: version.clone(),
        alias_name: alias_name.clone(),
        reason: Some("why not".to_string()),
        ..Default::default()
    };
    let hold = HoldRequest {
        model: model.clone(),
        alias_name,
        reason: Some("probing".to_string()),
        ..Default::default()
    };
    let promoted = registry.promote(promotion.clone()).unwrap();
    let held = registry.hold(hold.clone()).unwrap();
    let aliases = registry.aliases(AliasesRequest { model: model.clone(), ..Default::default() }).unwrap();
    let conflict = refusal(registry.promote(promotion));
    let released = registry.release(hold).unwrap();
    let predicted = prediction
        .predict(PredictRequest {
            model: model.clone(),
            reference: version,
            outputs: Some(vec!["value".to_string()]),
            inputs: Some(vec![one("a", 1.0), one("b", 2.5)]),
            ..Default::default()
        })
        .unwrap();
    let pruned = registry
        .prune(PruneRequest { model: model.clone(), keep: Some(0), dry_run: Some(true), ..Default::default() })
        .unwrap();
    let history = registry.history(HistoryRequest { model, ..Default::default() }).unwrap();
    json!({
        "begun": { "upload_id": begun.upload_id, "part_bytes": begun.part_bytes },
        "part": { "received_bytes": part.received_bytes },
        "published": { "version": published.version.as_ref().map(version_of) },
        "promoted": { "entry": promoted.entry.as_ref().map(entry) },
        "held": { "entry": held.entry.as_ref().map(entry) },
        "aliases": { "aliases": aliases.aliases.iter().flatten().map(|alias| json!({
            "alias_name": alias.alias_name, "version": alias.version, "held": alias.held,
        })).collect::<Vec<_>>() },
        "conflict": conflict,
        "released": { "entry": released.entry.as_ref().map(entry) },
        "predicted": prediction_of(predicted),
        "pruned": { "removed": pruned.removed.iter().flatten().map(version_of).collect::<Vec<_>>() },
        "history": entries(history),
    })
}

/// A tensor of one row.
fn one(name: &str, value: f64) -> Tensor {
    Tensor {
        name: Some(name.to_string()),
        data_type: Some(DataType::FLOAT64),
        shape: Some(vec![1, 1]),
        data: Some(value.to_le_bytes().to_vec()),
        ..Default::default()
    }
}

/// One field of all rows: float64 or text, shape (rows, 1).
fn tensor(spec: &TensorSpec, rows: &[Value]) -> Tensor {
    let name = spec.name.clone().unwrap();
    let shape = spec.shape.iter().flatten().map(|extent| if *extent < 0 { rows.len() as i64 } else { *extent });
    let made = Tensor {
        name: spec.name.clone(),
        data_type: spec.data_type,
        shape: Some(shape.collect()),
        ..Default::default()
    };
    let values = rows.iter().map(|row| &row[&name]);
    if spec.data_type == Some(DataType::STRING) {
        return Tensor { strings: Some(values.map(|value| value.as_str().unwrap_or("").to_string()).collect()), ..made };
    }
    Tensor { data: Some(values.flat_map(|value| value.as_f64().unwrap_or(f64::NAN).to_le_bytes()).collect()), ..made }
}

fn penguin(row: &Value) -> Penguin {
    let number = |name: &str| row[name].as_f64().map(OrderedFloat);
    let word = |name: &str| row[name].as_str().map(str::to_string);
    Penguin {
        bill_length_mm: number(NAMES[0]),
        bill_depth_mm: number(NAMES[1]),
        flipper_length_mm: number(NAMES[2]),
        body_mass_g: number(NAMES[3]),
        island: word(NAMES[4]),
        sex: word(NAMES[5]),
    }
}

/// Calls a method that no server knows, as the compiler would write it.
fn call_unknown(open: &Connection, operations: &mut impl TOperationsSyncClient) -> Value {
    let (mut input, mut output) = open.protocols("Penguins");
    output.write_message_begin(&TMessageIdentifier::new("guess", TMessageType::Call, 1)).unwrap();
    output.write_struct_begin(&TStructIdentifier::new("guess_args")).unwrap();
    output.write_field_stop().unwrap();
    output.write_struct_end().unwrap();
    output.write_message_end().unwrap();
    output.flush().unwrap();
    let answered = input.read_message_begin().unwrap();
    assert_eq!(answered.message_type, TMessageType::Exception);
    let error = thrift::Error::read_application_error_from_in_protocol(&mut input).unwrap();
    input.read_message_end().unwrap();
    json!({
        "type": error.kind as i32,
        "message": error.message,
        "name": "TApplicationException",
        "after": ping_of(operations.ping(PingRequest::default()).unwrap()),
    })
}

fn refusal<T>(answer: thrift::Result<T>) -> Value {
    let Err(thrift::Error::User(declared)) = answer else { return json!({ "typed": false }) };
    let Some(error) = declared.downcast_ref::<ParleyError>() else { return json!({ "typed": false }) };
    let problem = |one: &Problem| json!({ "path": one.path, "message": one.message, "got": one.got });
    json!({
        "typed": true,
        "code": error.code.map(|code| code.0),
        "message": error.message,
        "retryable": error.retryable,
        "problems": error.problems.as_ref().map(|problems| problems.iter().map(problem).collect::<Vec<_>>()),
        "request_id": error.request_id,
    })
}

fn identified(answer: &Identified) -> Value {
    let probability = answer.probability.iter().flatten().map(|(species, share)| (species.0.to_string(), json!(share.0)));
    json!({
        "species": answer.species.map(|species| species.0),
        "confidence": answer.confidence.map(|value| value.0),
        "probability": Value::Object(probability.collect()),
        "provenance": answer.provenance.as_ref().map(provenance),
    })
}

fn provenance(source: &Provenance) -> Value {
    json!({
        "prediction_id": source.prediction_id,
        "model": source.model,
        "version": source.version,
        "alias_name": source.alias_name,
    })
}

fn prediction_of(response: PredictResponse) -> Value {
    let output = |tensor: &Tensor| {
        json!({
            "name": tensor.name,
            "shape": tensor.shape,
            "strings": tensor.strings,
            "data": tensor.data.as_ref().map(|bytes| base64(bytes)),
        })
    };
    json!({
        "provenance": response.provenance.as_ref().map(provenance),
        "outputs": response.outputs.iter().flatten().map(output).collect::<Vec<_>>(),
    })
}

fn specs(specs: &Option<Vec<TensorSpec>>) -> Vec<Value> {
    specs.iter().flatten().map(|spec| json!({ "name": spec.name, "shape": spec.shape })).collect()
}

fn version_of(version: &ModelVersion) -> Value {
    let metrics = version.metrics.iter().flatten().map(|(name, value)| (name.clone(), json!(value.0)));
    json!({
        "model": version.model,
        "version": version.version,
        "model_type": version.model_type,
        "size_bytes": version.size_bytes,
        "published_at": version.published_at,
        "metrics": Value::Object(metrics.collect()),
        "accepted": version.accepted,
        "aliases": version.aliases,
        "description": version.description,
    })
}

fn entry(entry: &LedgerEntry) -> Value {
    json!({
        "sequence": entry.sequence,
        "at": entry.at,
        "action": entry.action,
        "alias_name": entry.alias_name,
        "version": entry.version,
        "reason": entry.reason,
    })
}

fn entries(history: HistoryResponse) -> Value {
    json!({ "entries": history.entries.iter().flatten().map(entry).collect::<Vec<_>>() })
}

fn ping_of(pinged: PingResponse) -> Value {
    json!({
        "server_version": pinged.server_version,
        "ready": pinged.ready,
        "store_connected": pinged.store_connected,
        "services": pinged.services,
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | (u32::from(*byte) << (16 - 8 * i)));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= group.len() { digit as char } else { '=' });
        }
    }
    text
}
