//! Running properties for a page, a fifth of a second at a time.

use crate::panel;
use gradus_figures::Reply;
use gradus_formula::{Config, Property, RangeError, Run, slip};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long a question may take, if a single case does not take longer.
const TURN: Duration = Duration::from_millis(200);
/// The most cases that a page may ask for.
pub(crate) const MOST_CASES: u64 = 100_000;
/// So many runs are kept while pages may ask for more of them.
const KEPT: usize = 16;

/// The properties, and the runs that are under way.
pub(crate) struct Explorer {
    properties: Vec<Property>,
    runs: Mutex<Runs>,
}

#[derive(Default)]
struct Runs {
    last: u64,
    kept: BTreeMap<u64, Kept>,
}

/// A run, and the slip under which it runs.
#[derive(Clone)]
struct Kept {
    run: Arc<Mutex<Run>>,
    slip: u32,
}

/// What a page asks.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Question {
    Describe {
        describe: String,
    },
    Explore {
        explore: String,
        #[serde(default = "usual")]
        cases: u64,
        #[serde(default)]
        seed: u64,
        #[serde(default)]
        ranges: BTreeMap<String, (f64, f64)>,
        /// A slip that was compiled in; 0 is none.
        #[serde(default)]
        slip: u32,
    },
    More {
        more: u64,
    },
}

fn usual() -> u64 {
    Config::default().cases
}

/// How far a run is.
#[derive(Serialize)]
struct Progress {
    run: u64,
    done: bool,
    drawn: u64,
    planned: u64,
    outcome: &'static str,
    verdict: String,
    html: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("this is no question: {0}")]
    Malformed(String),
    #[error("no property is called `{0}`")]
    Unknown(String),
    #[error("{0}")]
    Range(#[from] RangeError),
    #[error("{cases} cases are asked for; allowed are 1 to {MOST_CASES}")]
    Cases { cases: u64 },
    #[error("{property} draws no `{name}`")]
    Draw { property: &'static str, name: String },
    #[error("this run is not kept any more: start it again")]
    Gone,
    #[error("the answer could not be written: {0}")]
    Writing(#[from] serde_json::Error),
}

impl Fault {
    fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unknown(_) => 404,
            Self::Range(_) | Self::Cases { .. } | Self::Draw { .. } => 422,
            Self::Gone => 410,
            Self::Writing(_) => 500,
        }
    }
}

impl Explorer {
    pub(crate) fn new(properties: Vec<Property>) -> Self {
        Self { properties, runs: Mutex::default() }
    }

    pub(crate) fn reply(&self, question: Value) -> Reply {
        match self.answer(question) {
            Ok(body) => Reply { status: 200, body },
            Err(fault) => Reply { status: fault.status(), body: fault.to_string() },
        }
    }

    fn answer(&self, question: Value) -> Result<String, Fault> {
        let shown = question.to_string();
        let question = serde_json::from_value(question).map_err(|_| Fault::Malformed(shown))?;
        match question {
            Question::Describe { describe } => {
                let property = self.property(&describe)?;
                Ok(serde_json::json!({ "html": panel::form(property) }).to_string())
            }
            Question::Explore { explore, cases, seed, ranges, slip: under } => {
                let property = self.property(&explore)?;
                if !(1..=MOST_CASES).contains(&cases) {
                    return Err(Fault::Cases { cases });
                }
                let mut config = Config { cases, seed, ..Config::default() };
                for (name, (low, high)) in ranges {
                    if !property.draws.iter().any(|draw| draw.name == name) {
                        return Err(Fault::Draw { property: property.id, name });
                    }
                    config.ranges.set(&name, low, high);
                }
                let run = Kept { run: Arc::new(Mutex::new(Run::new(property, &config)?)), slip: under };
                let mut runs = lock(&self.runs);
                runs.last += 1;
                let id = runs.last;
                runs.kept.insert(id, run.clone());
                // A page that was closed asks no more: its run goes when so many others have come.
                while runs.kept.len() > KEPT {
                    runs.kept.pop_first();
                }
                drop(runs);
                self.go_on(id, &run)
            }
            Question::More { more } => {
                let run = lock(&self.runs).kept.get(&more).cloned().ok_or(Fault::Gone)?;
                self.go_on(more, &run)
            }
        }
    }

    fn property(&self, id: &str) -> Result<&Property, Fault> {
        self.properties.iter().find(|p| p.id == id).ok_or_else(|| Fault::Unknown(id.into()))
    }

    /// A turn of a run.
    fn go_on(&self, id: u64, kept: &Kept) -> Result<String, Fault> {
        let mut run = lock(&kept.run);
        let until = Instant::now() + TURN;
        // A module answers one question after the other; in a server no slip is compiled in.
        slip(kept.slip);
        while run.step(&mut |_| {}) && Instant::now() < until {}
        slip(0);
        let done = run.done();
        if done {
            lock(&self.runs).kept.remove(&id);
        }
        let report = run.report();
        let progress = Progress {
            run: id,
            done,
            drawn: report.cases + report.rejected,
            planned: run.planned(),
            outcome: report.outcome.word(),
            verdict: report.verdict(),
            html: panel::result(&run, &report),
        };
        Ok(serde_json::to_string(&progress)?)
    }
}

/// What a panic has left behind is as good as before: a run that panicked is only asked for more.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::Draw;
    use serde_json::json;

    fn explorer() -> Explorer {
        let x = || Draw::real("x", -1.0..=1.0).limited(-10.0..=10.0);
        Explorer::new(vec![
            Property::new("x.small", &["x"], "|x| < 2")
                .draw(x())
                .holds(|case| Ok(case.real("x").abs() < 2.0)),
            Property::new("x.slow", &["x"], "…").draw(x()).holds(|_| {
                std::thread::sleep(Duration::from_millis(30));
                Ok(true)
            }),
        ])
    }

    fn good(explorer: &Explorer, question: Value) -> Value {
        let reply = explorer.reply(question);
        assert_eq!(reply.status, 200, "{}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    #[test]
    fn ranges_and_seeds_are_those_of_a_run_anywhere_else() {
        let explorer = explorer();
        let answer = good(&explorer, json!({ "explore": "x.small" }));
        assert_eq!(
            (&answer["done"], &answer["drawn"], &answer["outcome"]),
            (&json!(true), &json!(256), &json!("pass"))
        );
        let question = json!({ "explore": "x.small", "cases": 500, "seed": 3, "ranges": { "x": [-9, 9] } });
        let answer = good(&explorer, question);
        let mut config = Config { cases: 500, seed: 3, ..Config::default() };
        config.ranges.set("x", -9.0, 9.0);
        let elsewhere = gradus_formula::run(&explorer.properties[0], &config, &mut |_| {}).unwrap();
        assert_eq!(
            (&answer["outcome"], answer["verdict"].as_str()),
            (&json!("fail"), Some(elsewhere.verdict().as_str()))
        );
        assert_eq!(answer["drawn"], json!(elsewhere.cases));
    }

    #[test]
    fn a_long_run_comes_in_turns_and_is_given_up_by_asking_no_more() {
        let explorer = explorer();
        let first = good(&explorer, json!({ "explore": "x.slow", "cases": 30 }));
        let (mut drawn, mut turns) = (first["drawn"].as_u64().unwrap(), 1);
        assert!(first["done"] == json!(false) && drawn < 20 && first["planned"] == json!(30), "{first}");
        loop {
            let next = good(&explorer, json!({ "more": first["run"] }));
            turns += 1;
            assert!(next["drawn"].as_u64() > Some(drawn) && next["run"] == first["run"]);
            drawn = next["drawn"].as_u64().unwrap();
            if next["done"] == json!(true) {
                break;
            }
        }
        assert!(drawn == 30 && turns >= 4, "{drawn} cases in {turns} turns");
        // It is over.
        assert_eq!(explorer.reply(json!({ "more": first["run"] })).status, 410);
        let given_up = good(&explorer, json!({ "explore": "x.slow" }))["run"].clone();
        for _ in 0..KEPT {
            good(&explorer, json!({ "explore": "x.slow" }));
        }
        assert_eq!(explorer.reply(json!({ "more": given_up })).status, 410);
    }

    #[test]
    fn what_can_not_be_done_is_refused_with_the_reason() {
        let explorer = explorer();
        let cases = [
            (json!({}), 400, "this is no question"),
            (json!({ "explore": "x.small", "case": 3 }), 400, "this is no question"),
            (json!({ "explore": "x.small", "cases": -1 }), 400, "this is no question"),
            (json!({ "describe": "y" }), 404, "no property is called `y`"),
            (json!({ "explore": "y" }), 404, "no property is called `y`"),
            (
                json!({ "explore": "x.small", "cases": 0 }),
                422,
                "0 cases are asked for; allowed are 1 to 100000",
            ),
            (json!({ "explore": "x.small", "cases": 100_001 }), 422, "100001 cases"),
            (json!({ "explore": "x.small", "ranges": { "y": [0, 1] } }), 422, "x.small draws no `y`"),
            (
                json!({ "explore": "x.small", "ranges": { "x": [0, 11] } }),
                422,
                "x=0..11 is empty or leaves what the draw allows: -10..10",
            ),
            (json!({ "explore": "x.small", "ranges": { "x": [1, 0] } }), 422, "x=1..0 is empty"),
            (json!({ "more": 99 }), 410, "start it again"),
        ];
        for (question, status, expected) in cases {
            let reply = explorer.reply(question.clone());
            assert!(reply.status == status && reply.body.contains(expected), "{question}: {reply:?}");
        }
    }
}
