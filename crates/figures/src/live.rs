//! Figures that a reader can move: the server draws them anew with the function that drew them at first.

use super::controls::{handles, panel};
use super::{Control, Figure, InputError, Inputs, LIVE};
use crate::html;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A figure with something to move.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// What chapters and requests call it.
    pub name: &'static str,
    /// What can be moved.
    pub controls: &'static [Control],
    /// Draws it, with everything where a reader has moved it.
    pub draw: fn(&Inputs) -> Result<Figure>,
}

/// What a page sends: `{"figure": "NAME", "inputs": {"CONTROL": value, …}}`.
#[derive(Deserialize)]
struct Question {
    figure: String,
    #[serde(default)]
    inputs: Map<String, Value>,
}

/// What it gets.
#[derive(Serialize)]
struct Drawn {
    svg: String,
    caption: String,
    status: String,
}

/// An answer, with its HTTP status: a figure as JSON, or a reason as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// 200, or what kind of fault it was.
    pub status: u16,
    /// JSON if it is 200.
    pub body: String,
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("this is no question for a figure: {0}")]
    Malformed(serde_json::Error),
    #[error("no live figure is called `{name}`; there are: {known}")]
    Unknown { name: String, known: String },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("the figure could not be drawn: {0:#}")]
    Drawing(anyhow::Error),
}

impl Fault {
    fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unknown { .. } => 404,
            Self::Input(_) => 422,
            Self::Drawing(_) => 500,
        }
    }
}

/// The live figure of this name. Used in a constant, it takes along nothing of the others.
///
/// # Panics
/// If there is none: then the constant does not compile.
pub const fn live(name: &str) -> Live {
    let mut i = 0;
    while i < LIVE.len() {
        if same(LIVE[i].name.as_bytes(), name.as_bytes()) {
            return LIVE[i];
        }
        i += 1;
    }
    panic!("there is no live figure of this name")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Answers a page that asks for one of these figures.
pub fn reply(figures: &[Live], question: Value) -> Reply {
    match answer(figures, question) {
        Ok(drawn) => Reply { status: 200, body: drawn },
        Err(fault) => Reply { status: fault.status(), body: fault.to_string() },
    }
}

/// Whether a page's question asks for work that takes a while, which is done for one page at a time.
pub fn takes_a_while(question: &Value) -> bool {
    let Ok(Question { figure, inputs }) = Question::deserialize(question) else { return false };
    let live = LIVE.iter().find(|live| live.name == figure);
    live.and_then(|live| Inputs::read(live.controls, &inputs).ok()).is_some_and(|inputs| inputs.any_pressed())
}

fn answer(figures: &[Live], question: Value) -> Result<String, Fault> {
    let Question { figure: name, inputs } = serde_json::from_value(question).map_err(Fault::Malformed)?;
    let Some(live) = figures.iter().find(|live| live.name == name) else {
        let known = figures.iter().map(|live| live.name).collect::<Vec<_>>().join(", ");
        return Err(Fault::Unknown { name, known });
    };
    let inputs = Inputs::read(live.controls, &inputs)?;
    let figure = (live.draw)(&inputs).map_err(Fault::Drawing)?;
    let drawn = Drawn { svg: figure.drawing(), caption: figure.caption, status: figure.status };
    serde_json::to_string(&drawn).map_err(|e| Fault::Drawing(e.into()))
}

impl Live {
    /// The figure as it is when nobody has moved anything, as HTML on one line. What moves is there too, and hidden until a
    /// script has found the server.
    pub(super) fn html(&self) -> Result<String> {
        let figure = (self.draw)(&Inputs::defaults(self.controls))?;
        let handles = handles(self.controls, super::plot::SIZE, figure.frame, figure.x, figure.y);
        let name = html(self.name);
        // Some move only where there is a server.
        let served = if crate::fetched().any(|name| name == self.name) { "" } else { " served-only" };
        Ok(format!(
            "<figure id=\"fig-{name}\" class=\"live{served}\" data-figure=\"{name}\"><div class=\"drawing\">\
             <div class=\"plot-holder\">{}</div>{handles}</div>{}<p class=\"figure-status\">{}</p>\
             <p class=\"only-heard\" role=\"status\"></p><figcaption>{}</figcaption>\
             <p class=\"live-hint\">With <code>cargo book</code> this figure can be moved.</p></figure>",
            figure.drawing(),
            panel(self.controls),
            html(&figure.status),
            html(&figure.caption),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grid, Scale, Touch, draw};
    use serde_json::json;
    use std::collections::BTreeSet;

    fn drawn(question: Value) -> Value {
        let reply = reply(LIVE, question);
        assert_eq!(reply.status, 200, "{}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    #[test]
    fn without_inputs_the_answer_is_the_figure_of_the_page() {
        for live in LIVE {
            let page = draw(live.name).unwrap();
            let sent = Inputs::defaults(live.controls);
            // What the page's script sends when everything is back where it was.
            let mut inputs = Map::new();
            for control in live.controls {
                let value = match control {
                    Control::Slider(slider) => json!(slider.default),
                    Control::Points(points) => json!({ "at": points.default, "chosen": null }),
                    Control::Grid(grid) => json!((grid.default)()),
                    // It is sent only when it is pressed.
                    Control::Button(_) => continue,
                };
                inputs.insert(control.name().into(), value);
            }
            assert_eq!(Inputs::read(live.controls, &inputs).unwrap(), sent, "{}", live.name);
            for inputs in [Map::new(), inputs] {
                let answer = drawn(json!({ "figure": live.name, "inputs": inputs }));
                for part in ["svg", "caption", "status"] {
                    let text = answer[part].as_str().unwrap();
                    let text = if part == "svg" { text.to_owned() } else { html(text) };
                    assert!(!text.is_empty() && page.contains(&text), "{}: {part}", live.name);
                }
            }
        }
    }

    #[test]
    fn every_figure_can_be_drawn_at_the_ends_of_its_ranges_and_looks_different_there() {
        for live in LIVE {
            let first = (live.draw)(&Inputs::defaults(live.controls)).unwrap();
            for control in live.controls {
                let ends = match control {
                    Control::Slider(s) => vec![json!(s.range.0), json!(s.range.1)],
                    Control::Points(p) => {
                        let all =
                            |x: f64, y: f64| json!({ "at": vec![(x, y); p.default.len()], "chosen": 0 });
                        vec![all(p.x.0, p.y.0), all(p.x.1, p.y.1)]
                    }
                    Control::Grid(g) => {
                        [g.range.0, g.range.1].map(|v| json!(vec![v; g.size.0 * g.size.1])).to_vec()
                    }
                    Control::Button(_) => vec![json!(false), json!(true)],
                };
                let mut looks = BTreeSet::new();
                for end in ends {
                    let mut inputs = Map::new();
                    inputs.insert(control.name().into(), end.clone());
                    // The page's script does the same when somebody paints.
                    if let Control::Grid(Grid { chooses: Some((slider, at)), .. }) = control {
                        inputs.insert((*slider).into(), json!(at));
                    }
                    let answer = drawn(json!({ "figure": live.name, "inputs": inputs }));
                    let svg = answer["svg"].as_str().unwrap();
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{} at {end}", live.name);
                    let status = answer["status"].as_str().unwrap();
                    assert!(
                        !status.contains("NaN") && !status.contains("inf"),
                        "{} at {end}: {status}",
                        live.name
                    );
                    looks.insert(svg.to_owned());
                    // Points lie over the plot: its frame must not move under them.
                    let moved = (live.draw)(&Inputs::read(live.controls, &inputs).unwrap()).unwrap();
                    assert_eq!(
                        (moved.frame, moved.x, moved.y),
                        (first.frame, first.x, first.y),
                        "{}",
                        live.name
                    );
                }
                assert_eq!(looks.len(), 2, "{}: `{}` changes nothing", live.name, control.name());
            }
        }
    }

    #[test]
    fn a_figure_is_found_in_a_constant() {
        const FOUND: Live = live("softmax-temperature");
        assert_eq!(FOUND.name, "softmax-temperature");
        assert!(std::panic::catch_unwind(|| live("softmax")).is_err());
    }

    #[test]
    fn only_a_pressed_button_takes_a_while() {
        let asks = |inputs: Value| takes_a_while(&json!({ "figure": "roofline", "inputs": inputs }));
        assert!(asks(json!({ "measure": true })));
        assert!(!asks(json!({ "measure": false })) && !asks(json!({})) && !asks(json!({ "measure": 1 })));
        assert!(!takes_a_while(&json!({ "figure": "saturation" })) && !takes_a_while(&json!([])));
    }

    #[test]
    fn controls_are_sound() {
        for live in LIVE {
            let names: BTreeSet<_> = live.controls.iter().map(Control::name).collect();
            assert_eq!(names.len(), live.controls.len(), "{}: a name is there twice", live.name);
            for control in live.controls {
                match control {
                    Control::Slider(s) => {
                        let at = |value: f64| if s.scale == Scale::Log { value.log10() } else { value };
                        let steps = |value: f64| (at(value) - at(s.range.0)) / s.step;
                        assert!(s.range.0 < s.range.1 && s.step > 0.0, "{}", s.name);
                        for value in [s.default, s.range.1] {
                            let steps = steps(value);
                            // A browser would move a value between two positions to one of them.
                            assert!((steps - steps.round()).abs() < 1e-6, "{}: {value}", s.name);
                        }
                    }
                    Control::Points(p) => {
                        for (x, y) in p.default {
                            assert!((p.x.0..=p.x.1).contains(x) && (p.y.0..=p.y.1).contains(y), "{}", p.name);
                        }
                    }
                    Control::Grid(g) => {
                        let cells = (g.default)();
                        let (least, most) = g.range;
                        assert_eq!(cells.len(), g.size.0 * g.size.1, "{}", g.name);
                        assert!(cells.iter().chain(&[0.0]).all(|v| (least..=most).contains(v)), "{}", g.name);
                        if let Touch::Step(step) = g.touch {
                            let steps = |v: &f64| (v - least) / step;
                            let on = |v: &f64| (steps(v) - steps(v).round()).abs() < 1e-6;
                            assert!(step > 0.0 && cells.iter().chain(&[0.0, most]).all(on), "{}", g.name);
                        }
                        if let Some((name, at)) = g.chooses {
                            let found = live.controls.iter().find(|c| c.name() == name);
                            let Some(Control::Slider(slider)) = found else {
                                panic!("{}: no slider is called {name}", g.name);
                            };
                            assert!((slider.range.0..=slider.range.1).contains(&at), "{}: {at}", g.name);
                        }
                    }
                    Control::Button(b) => assert!(!b.label.is_empty() && !b.busy.is_empty(), "{}", b.name),
                }
            }
        }
    }

    #[test]
    fn a_question_that_makes_no_sense_is_answered_with_the_reason() {
        let cases = [
            (json!([]), 400, "this is no question for a figure"),
            (json!({ "inputs": {} }), 400, "missing field `figure`"),
            (
                json!({ "figure": "sigmold" }),
                404,
                "no live figure is called `sigmold`; there are: projection-line",
            ),
            // It is there, but has nothing to move.
            (json!({ "figure": "sigmoid" }), 404, "no live figure is called `sigmoid`"),
            (
                json!({ "figure": "softmax-temperature", "inputs": { "tau": 0 } }),
                422,
                "`tau` is 0.0; allowed is 0.1 to 100",
            ),
        ];
        for (question, status, expected) in cases {
            let reply = reply(LIVE, question.clone());
            assert!(reply.status == status && reply.body.contains(expected), "{question}: {reply:?}");
        }
    }
}
