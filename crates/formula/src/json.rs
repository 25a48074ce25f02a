//! Runs as JSON: one line a report, and one line a case in Hypothesis' observation schema, which Tyche opens.

#[cfg(feature = "properties")]
use crate::{CaseRecord, Inputs, Origin, Property, Report, Status, Value};
#[cfg(feature = "properties")]
use serde_json::{Map, Value as Json, json};

/// A report in one line: property, formula, verdict, cases, residual, tolerance, seconds.
///
/// A residual that is no finite number (a NaN, an infinity, a failure without one) is `null`: JSON has no word for it.
#[cfg(feature = "properties")]
pub fn report_line(report: &Report) -> Json {
    json!({
        "property": report.property,
        "formula": report.formulas.first().copied().unwrap_or(""),
        "verdict": report.outcome.word(),
        "cases": report.cases,
        "residual": report.residual,
        "tolerance": report.tolerance.value,
        "seconds": report.seconds,
    })
}

/// A case in the schema of Hypothesis' observability files (type `test_case`): exactly its keys, no others.
///
/// `run_start` is the run's start in seconds since 1970, the same for all cases of a run.
#[cfg(feature = "properties")]
pub fn observation(property: &Property, record: &CaseRecord, run_start: f64) -> Json {
    let mut features: Map<String, Json> = record.labels.iter().map(|l| (l.clone(), json!(true))).collect();
    features.insert("residual".into(), json!(record.residual));
    json!({
        "type": "test_case",
        "status": match record.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::GaveUp => "gave_up",
        },
        "status_reason": record.reason.clone().unwrap_or_else(|| match record.status {
            Status::Failed => format!("residual {:e} above {:e} ({})", record.residual, property.tolerance.value, property.tolerance.name),
            _ => String::new(),
        }),
        "representation": format!("{}({})", property.id, record.inputs),
        "arguments": arguments(&record.inputs),
        "how_generated": match record.origin {
            Origin::Drawn => format!("drawn as case {}", record.case),
            Origin::Shrinking => format!("while shrinking case {}", record.case),
        },
        "features": features,
        "coverage": null,
        "timing": { "execute:test": record.seconds },
        "metadata": {},
        "property": property.id,
        "run_start": run_start,
    })
}

#[cfg(feature = "properties")]
fn arguments(inputs: &Inputs) -> Map<String, Json> {
    let json = |value: &Value| match value {
        Value::Real(x) => json!(x),
        Value::Integer(i) => json!(i),
        Value::Choice(c) => json!(c),
        Value::Array(a) => json!(a.data),
    };
    inputs.iter().map(|(name, value)| (name.to_owned(), json(value))).collect()
}
