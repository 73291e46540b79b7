//! Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.
//!
//!     cargo run -- HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]
//!
//! With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.
//!
//! What to know about Thrift for Rust:
//!   - Stubs say `use crate::parley`: they must be modules of the crate's root, whatever folder they stand in.
//!   - Optional fields are `Option`s, doubles are `OrderedFloat`s; `..Default::default()` leaves the others out. Arguments are
//!     no `Option`s: where there is nothing to say, the context is `RequestContext::default()`.
//!   - Enums are numbers in a struct, with a constant for each name; nothing gives the name back.
//!   - Declared exceptions are `thrift::Error::User`, and `downcast_ref` finds the `ParleyError` in it.
//!   - The crate's own TTcpChannel has no timeout while it connects, and the crate no TLS before 0.25: a stream of one's own
//!     does both.
//!   - rustls takes no certificate that is its own authority, as "openssl req -x509" makes them: let one sign another.
//!   - One client takes one call at a time. After a timeout its connection must be closed, since the late reply would be
//!     taken for the next call's.
use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use serde_json::{json, Value};
use thrift::OrderedFloat;

mod connection;
#[path = "../gen-rs/parley.rs"]
mod parley;
#[path = "../gen-rs/penguins.rs"]
mod penguins;

use connection::{Connection, TIMEOUT};
use parley::{ErrorCode, ParleyError, RequestContext};
use penguins::{Identified, Penguin, PenguinsSyncClient, Species, TPenguinsSyncClient};

const USAGE: &str = "usage: client HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]";

#[derive(Default)]
struct Options {
    address: String,
    compact: bool,
    multiplexed: bool,
    authority: Option<String>,
    token: Option<String>,
    rows: Option<String>,
}

fn main() -> ExitCode {
    let Some(options) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "compact" => options.compact = true,
            "multiplexed" => options.multiplexed = true,
            "--ca" => options.authority = Some(arguments.next()?),
            "--token" => options.token = Some(arguments.next()?),
            "--rows" => options.rows = Some(arguments.next()?),
            address if options.address.is_empty() && !address.starts_with('-') => options.address = address.to_string(),
            _ => return None,
        }
    }
    (!options.address.is_empty()).then_some(options)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let connection =
        Connection::open(&options.address, options.compact, options.multiplexed, options.authority.as_deref())
            .map_err(|error| format!("no server answers at {}: {error}", options.address))?;
    let (input, output) = connection.protocols("Penguins");
    let mut client = PenguinsSyncClient::new(input, output);
    match &options.rows {
        Some(rows) => answer_rows(&mut client, options, rows),
        None => demonstrate(&mut client, options),
    }
}

/// Optional: an id to find the call by in the server's log, how long an answer is of use, and who asks.
fn context(options: &Options, request_id: &str) -> RequestContext {
    RequestContext {
        request_id: Some(request_id.to_string()),
        timeout_ms: Some(TIMEOUT.as_millis() as i32),
        auth_token: options.token.clone(),
        ..Default::default()
    }
}

fn demonstrate(client: &mut impl TPenguinsSyncClient, options: &Options) -> Result<(), Box<dyn Error>> {
    let mut torgersen = Penguin {
        bill_length_mm: Some(OrderedFloat(39.1)),
        bill_depth_mm: Some(OrderedFloat(18.7)),
        flipper_length_mm: Some(OrderedFloat(181.0)),
        body_mass_g: Some(OrderedFloat(3750.0)),
        island: Some("Torgersen".to_string()),
        sex: Some("MALE".to_string()),
    };
    show("identify", &client.identify(torgersen.clone(), context(options, "one"))?);

    let others = vec![
        Penguin {
            bill_length_mm: Some(OrderedFloat(46.5)),
            bill_depth_mm: Some(OrderedFloat(17.9)),
            flipper_length_mm: Some(OrderedFloat(192.0)),
            body_mass_g: Some(OrderedFloat(3500.0)),
            island: Some("Dream".to_string()),
            sex: Some("FEMALE".to_string()),
        },
        // Nobody knows this one's sex, which the contract allows.
        Penguin {
            bill_length_mm: Some(OrderedFloat(46.1)),
            bill_depth_mm: Some(OrderedFloat(13.2)),
            flipper_length_mm: Some(OrderedFloat(211.0)),
            body_mass_g: Some(OrderedFloat(4500.0)),
            island: Some("Biscoe".to_string()),
            ..Default::default()
        },
    ];
    for answer in client.identify_many(others, context(options, "two"))? {
        show("identify_many", &answer);
    }

    torgersen.bill_length_mm = Some(OrderedFloat(4650.0));
    let Err(error) = client.identify(torgersen, context(options, "three")) else {
        return Err("a bill of 4650 mm was not refused".into());
    };
    let refused = refusal_in(&error).ok_or_else(|| error.to_string())?;
    println!("refused: {}, retryable: {}", code_name(refused.code), refused.retryable.unwrap_or_default());
    for problem in refused.problems.iter().flatten() {
        println!("  {} {}, got {}", text(&problem.path), text(&problem.message), text(&problem.got));
    }
    Ok(())
}

/// The ParleyError that a call was refused with; nothing where it failed otherwise.
fn refusal_in(error: &thrift::Error) -> Option<&ParleyError> {
    match error {
        thrift::Error::User(declared) => declared.downcast_ref(),
        _ => None,
    }
}

fn show(verb: &str, answer: &Identified) {
    let source = answer.provenance.clone().unwrap_or_default();
    println!(
        "{verb}: {} ({:.4}), says {} {:.12}, prediction {}",
        species_name(answer.species),
        answer.confidence.unwrap_or_default(),
        text(&source.model),
        text(&source.version),
        text(&source.prediction_id),
    );
}

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn species_name(species: Option<Species>) -> &'static str {
    match species {
        Some(Species::ADELIE) => "ADELIE",
        Some(Species::CHINSTRAP) => "CHINSTRAP",
        Some(Species::GENTOO) => "GENTOO",
        _ => "UNSPECIFIED",
    }
}

fn code_name(code: Option<ErrorCode>) -> String {
    match code {
        Some(ErrorCode::INVALID_INPUT) => "INVALID_INPUT".to_string(),
        Some(ErrorCode::OVERLOADED) => "OVERLOADED".to_string(),
        Some(ErrorCode::UNAUTHENTICATED) => "UNAUTHENTICATED".to_string(),
        Some(ErrorCode(number)) => format!("error {number}"),
        None => "an error".to_string(),
    }
}

fn answer_rows(client: &mut impl TPenguinsSyncClient, options: &Options, rows: &str) -> Result<(), Box<dyn Error>> {
    for line in BufReader::new(File::open(rows)?).lines() {
        let row = penguin(&serde_json::from_str(&line?)?);
        let asking = options.token.as_ref().map(|_| context(options, "row")).unwrap_or_default();
        println!("{}", answer_row(client.identify(row, asking))?);
    }
    Ok(())
}

fn answer_row(answer: thrift::Result<Identified>) -> Result<Value, thrift::Error> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let Some(refused) = refusal_in(&error) else { return Err(error) };
            let problems = refused.problems.iter().flatten();
            let problems: Vec<Value> = problems.map(|one| json!({ "path": one.path, "message": one.message })).collect();
            return Ok(json!({ "error": { "code": code_name(refused.code), "problems": problems } }));
        }
    };
    let probabilities = answer.probability.iter().flatten();
    let probabilities = probabilities.map(|(species, share)| (species_name(Some(*species)).to_string(), json!(share.0)));
    let source = answer.provenance.unwrap_or_default();
    Ok(json!({
        "label": species_name(answer.species),
        "probabilities": Value::Object(probabilities.collect()),
        "version": source.version,
        "prediction_id": source.prediction_id,
    }))
}

/// A line of --rows: what is missing is left out.
fn penguin(row: &Value) -> Penguin {
    let number = |name: &str| row[name].as_f64().map(OrderedFloat);
    let word = |name: &str| row[name].as_str().map(str::to_string);
    Penguin {
        bill_length_mm: number("bill_length_mm"),
        bill_depth_mm: number("bill_depth_mm"),
        flipper_length_mm: number("flipper_length_mm"),
        body_mass_g: number("body_mass_g"),
        island: word("island"),
        sex: word("sex"),
    }
}
