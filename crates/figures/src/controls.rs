//! What a reader can move in a figure: declared as data, shown as HTML, and what it lets pass of what is sent.

use super::inputs::{Input, within};
use super::{InputError, Moved};
use crate::html;
use serde_json::Value;

/// Something to move.
#[derive(Debug, Clone, Copy)]
pub enum Control {
    /// A number.
    Slider(Slider),
    /// Points in the plot.
    Points(Points),
    /// Cells to paint.
    Grid(Grid),
    /// Work that takes a while.
    Button(Button),
}

impl Control {
    /// A slider whose positions are its values, in no unit.
    pub(super) const fn slider(
        name: &'static str,
        label: &'static str,
        range: (f64, f64),
        step: f64,
        default: f64,
    ) -> Self {
        Self::Slider(Slider { name, label, range, step, scale: Scale::Linear, default, unit: "" })
    }
}

/// A button. The figure is drawn once with it pressed; whatever is moved next, it is not pressed any more, unless it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// What the drawing function and requests call it.
    pub name: &'static str,
    /// What stands on it.
    pub label: &'static str,
    /// What is said while the reader waits.
    pub busy: &'static str,
    /// Whether it stays pressed until it is pressed again: for work whose result is kept and looked at from several sides.
    pub stays: bool,
}

/// A number that is set by a slider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slider {
    /// What the drawing function and requests call it.
    pub name: &'static str,
    /// What the page calls it.
    pub label: &'static str,
    /// The least and the largest value.
    pub range: (f64, f64),
    /// From one position to the next: a difference, or decimal places of the logarithm.
    pub step: f64,
    /// How positions become values.
    pub scale: Scale,
    /// The value that the figure has when nobody has moved it; one of the positions.
    pub default: f64,
    /// What it is measured in; may be empty.
    pub unit: &'static str,
}

/// How the positions of a slider become values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The position is the value.
    Linear,
    /// The position is the decimal logarithm of the value.
    Log,
}

/// Points that can be dragged, in the numbers of the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points {
    /// What the drawing function and requests call them.
    pub name: &'static str,
    /// What the page calls one of them.
    pub label: &'static str,
    /// Between what they can be moved.
    pub x: (f64, f64),
    /// The same upwards.
    pub y: (f64, f64),
    /// The grid that they move on, and the way of an arrow key.
    pub step: f64,
    /// Where they are when nobody has moved them.
    pub default: &'static [(f64, f64)],
}

/// Rows of cells, each with a number, that a reader paints.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// What the drawing function and requests call it.
    pub name: &'static str,
    /// What the page calls it.
    pub label: &'static str,
    /// How many rows and columns it has.
    pub size: (usize, usize),
    /// The least and the largest number of a cell; 0, which is what an empty cell has, lies between them.
    pub range: (f64, f64),
    /// What becomes of a cell that is touched.
    pub touch: Touch,
    /// What is in the cells when nobody has painted, row by row. A function, since an image comes out of a data set.
    pub default: fn() -> Vec<f64>,
    /// A slider, and where it goes when somebody paints: so that nobody paints a thing that is not looked at.
    pub chooses: Option<(&'static str, f64)>,
}

/// What a touch does to a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Touch {
    /// It leaves ink, as a soft brush does, in the neighbours too. Numbers are shades.
    Brush,
    /// It adds a step; behind the largest number comes the least. Numbers are written into the cells.
    Step(f64),
}

impl Control {
    /// What the drawing function and requests call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slider(slider) => slider.name,
            Self::Points(points) => points.name,
            Self::Grid(grid) => grid.name,
            Self::Button(button) => button.name,
        }
    }

    pub(super) fn default(&self) -> Input {
        match self {
            Self::Slider(slider) => Input::Number(slider.default),
            Self::Points(points) => Input::Points(Moved { at: points.default.to_vec(), chosen: None }),
            Self::Grid(grid) => Input::Cells((grid.default)()),
            Self::Button(_) => Input::Pressed(false),
        }
    }

    pub(super) fn read(&self, value: &Value) -> Result<Input, InputError> {
        match self {
            Self::Slider(slider) => slider.read(value).map(Input::Number),
            Self::Points(points) => points.read(value).map(Input::Points),
            Self::Grid(grid) => grid.read(value).map(Input::Cells),
            Self::Button(button) => button.read(value).map(Input::Pressed),
        }
    }
}

impl Slider {
    fn read(&self, value: &Value) -> Result<f64, InputError> {
        let wrong =
            || InputError::Kind { name: self.name, found: value.to_string(), wanted: "a finite number" };
        within(&format!("`{}`", self.name), value.as_f64().ok_or_else(wrong)?, self.range)
    }

    /// The slider as HTML, with its name and its value; a script turns positions into values.
    fn html(&self) -> String {
        let position = |value: f64| match self.scale {
            Scale::Linear => value,
            // Rounded, since the logarithm of a tenth is not quite −1.
            Scale::Log => (value.log10() * 1e9).round() / 1e9,
        };
        let (least, most) = self.range;
        format!(
            "<label class=\"slider\"><span>{}</span><input type=\"range\" autocomplete=\"off\" data-name=\"{}\" \
             data-scale=\"{}\" data-unit=\"{}\" min=\"{}\" max=\"{}\" step=\"{}\" value=\"{}\"><output></output></label>",
            html(self.label),
            self.name,
            if self.scale == Scale::Log { "log" } else { "linear" },
            html(self.unit),
            position(least),
            position(most),
            self.step,
            position(self.default),
        )
    }
}

impl Button {
    fn read(&self, value: &Value) -> Result<bool, InputError> {
        let wrong =
            || InputError::Kind { name: self.name, found: value.to_string(), wanted: "true or false" };
        value.as_bool().ok_or_else(wrong)
    }

    fn html(&self) -> String {
        format!(
            "<button type=\"button\" class=\"press\" data-name=\"{}\" data-busy=\"{}\"{}>{}</button>",
            self.name,
            html(self.busy),
            if self.stays { " aria-pressed=\"false\"" } else { "" },
            html(self.label)
        )
    }
}

impl Points {
    fn read(&self, value: &Value) -> Result<Moved, InputError> {
        let wrong = |found: &Value| InputError::Kind {
            name: self.name,
            found: found.to_string(),
            wanted: "{\"at\": [[x, y], …]} with finite numbers, and perhaps \"chosen\"",
        };
        let at = value.get("at").and_then(Value::as_array).ok_or_else(|| wrong(value))?;
        if at.len() != self.default.len() {
            let (found, expected) = (at.len(), self.default.len());
            return Err(InputError::Count { name: self.name, what: "points", found, expected });
        }
        let point = |(i, point): (usize, &Value)| {
            let pair = point.as_array().filter(|pair| pair.len() == 2).ok_or_else(|| wrong(point))?;
            let coordinate = |k: usize| pair[k].as_f64().ok_or_else(|| wrong(point));
            let name = |axis| format!("{axis} of point {i} of `{}`", self.name);
            Ok((within(&name("x"), coordinate(0)?, self.x)?, within(&name("y"), coordinate(1)?, self.y)?))
        };
        let points: Vec<_> = at.iter().enumerate().map(point).collect::<Result<_, _>>()?;
        let chosen = match value.get("chosen") {
            None | Some(Value::Null) => None,
            Some(chosen) => {
                let index = chosen.as_u64().and_then(|i| usize::try_from(i).ok());
                Some(index.filter(|i| *i < points.len()).ok_or_else(|| InputError::Chosen {
                    name: self.name,
                    chosen: chosen.to_string(),
                    last: points.len().saturating_sub(1),
                })?)
            }
        };
        Ok(Moved { at: points, chosen })
    }
}

impl Grid {
    fn read(&self, value: &Value) -> Result<Vec<f64>, InputError> {
        let wrong = |found: &Value| InputError::Kind {
            name: self.name,
            found: found.to_string(),
            wanted: "[number, …], finite, row by row",
        };
        let cells = value.as_array().ok_or_else(|| wrong(value))?;
        let (rows, columns) = self.size;
        if cells.len() != rows * columns {
            let (found, expected) = (cells.len(), rows * columns);
            return Err(InputError::Count { name: self.name, what: "cells", found, expected });
        }
        let cell = |(i, cell): (usize, &Value)| {
            let name = format!("row {}, column {} of `{}`", i / columns, i % columns, self.name);
            within(&name, cell.as_f64().ok_or_else(|| wrong(cell))?, self.range)
        };
        cells.iter().enumerate().map(cell).collect()
    }

    /// The grid as HTML; a script puts the cells in, and what was painted.
    fn html(&self) -> String {
        let (rows, columns) = self.size;
        // A finger wants room where a cell is touched by itself; an image is painted as a whole.
        let (step, cell) = match self.touch {
            Touch::Brush => (0.0, 10),
            Touch::Step(step) => (step, 44),
        };
        let values = (self.default)().iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let chooses =
            self.chooses.map_or_else(String::new, |(name, at)| format!(" data-chooses=\"{name} {at}\""));
        let (width, height, label) = (columns * cell, rows * cell, html(self.label));
        format!(
            "<div class=\"painted\"><span>{label}</span><svg class=\"cells\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" tabindex=\"0\" role=\"grid\" aria-label=\"{label}\" data-name=\"{}\" \
             data-size=\"{rows} {columns}\" data-range=\"{} {}\" data-step=\"{step}\" data-values=\"{values}\"{chooses}></svg>\
             <button type=\"button\" class=\"clear\">Clear</button></div>",
            self.name, self.range.0, self.range.1,
        )
    }
}

/// The grids, sliders and buttons of a figure, and the button that puts everything back.
pub(super) fn panel(controls: &[Control]) -> String {
    let control = |c: &Control| match c {
        Control::Slider(slider) => slider.html(),
        Control::Points(_) => String::new(),
        Control::Grid(grid) => grid.html(),
        Control::Button(button) => button.html(),
    };
    let all: String = controls.iter().map(control).collect();
    format!("<div class=\"controls\">{all}<button type=\"button\" class=\"back\">Reset</button></div>")
}

/// The points of a figure as a drawing to lie over the plot: `size` is that of the plot, `frame` where its axes end (left,
/// top, right, bottom), `x` and `y` the numbers at these ends.
pub(super) fn handles(
    controls: &[Control],
    size: (u32, u32),
    frame: [i32; 4],
    x: (f64, f64),
    y: (f64, f64),
) -> String {
    let mut drawing = String::new();
    for control in controls {
        let Control::Points(points) = control else { continue };
        let label = html(points.label);
        let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let [left, top, right, bottom] = frame.map(f64::from);
        drawing += &format!(
            "<svg class=\"handles\" viewBox=\"0 0 {} {}\" role=\"group\" aria-label=\"points that can be moved\" \
             data-name=\"{}\" data-frame=\"{}\" data-axes=\"{}\" data-limits=\"{}\" data-step=\"{}\">",
            size.0,
            size.1,
            points.name,
            list(&[left, top, right, bottom]),
            list(&[x.0, y.1, x.1, y.0]),
            list(&[points.x.0, points.x.1, points.y.0, points.y.1]),
            points.step,
        );
        for (i, (px, py)) in points.default.iter().enumerate() {
            // Assistive technology knows no two-way slider; it reads the text, and passes the arrow keys on.
            drawing += &format!(
                "<g class=\"handle\" tabindex=\"0\" role=\"slider\" aria-roledescription=\"point\" \
                 aria-label=\"{label} {}\" aria-valuemin=\"{}\" aria-valuemax=\"{}\" aria-valuenow=\"{py}\" \
                 aria-valuetext=\"x {px}, y {py}\" data-at=\"{px} {py}\"><circle class=\"reach\" r=\"24\"/>\
                 <circle class=\"knob\" r=\"9\"/></g>",
                i + 1,
                points.y.0,
                points.y.1,
            );
        }
        drawing += "</svg>";
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::super::Inputs;
    use super::*;
    use serde_json::json;

    const TEMPERATURE: Slider = Slider {
        name: "tau",
        label: "temperature",
        range: (0.1, 100.0),
        step: 0.05,
        scale: Scale::Log,
        default: 1.0,
        unit: "",
    };
    const CONTROLS: &[Control] = &[
        Control::Slider(TEMPERATURE),
        Control::Points(Points {
            name: "samples",
            label: "sample",
            x: (0.0, 4.0),
            y: (-1.0, 6.0),
            step: 0.05,
            default: &[(0.0, 1.0), (1.0, 3.0)],
        }),
        Control::Button(Button { name: "measure", label: "Measure", busy: "Measuring …", stays: false }),
        Control::Grid(Grid {
            name: "kernel",
            label: "own weights",
            size: (2, 3),
            range: (-4.0, 4.0),
            touch: Touch::Step(1.0),
            default: || vec![0.0, 0.5, 1.0, 0.0, -1.0, 0.0],
            chooses: Some(("tau", 1.0)),
        }),
    ];

    fn read(sent: Value) -> Result<Inputs, String> {
        Inputs::read(CONTROLS, sent.as_object().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_sent_is_read_and_what_is_left_out_stays() {
        assert_eq!(read(json!({})).unwrap(), Inputs::defaults(CONTROLS));
        let inputs =
            read(json!({ "tau": 2.5, "samples": { "at": [[4, -1], [0.5, 2]], "chosen": 1 } })).unwrap();
        assert_eq!(inputs.number("tau"), Ok(2.5));
        assert_eq!(
            inputs.points("samples"),
            Ok(&Moved { at: vec![(4.0, -1.0), (0.5, 2.0)], chosen: Some(1) })
        );
        assert_eq!((inputs.pressed("measure"), inputs.any_pressed()), (Ok(false), false));
        let pressed = read(json!({ "measure": true })).unwrap();
        assert_eq!((pressed.pressed("measure"), pressed.any_pressed()), (Ok(true), true));
        assert_eq!(inputs.cells("kernel"), Ok(&[0.0, 0.5, 1.0, 0.0, -1.0, 0.0][..]));
        let painted = read(json!({ "kernel": [4, -4, 0.25, 0, 0, 3] })).unwrap();
        assert_eq!(painted.cells("kernel"), Ok(&[4.0, -4.0, 0.25, 0.0, 0.0, 3.0][..]));
        assert!(painted.cells("tau").is_err() && painted.points("kernel").is_err());
        // The ends belong to the range.
        for end in [0.1, 100.0] {
            assert_eq!(read(json!({ "tau": end })).unwrap().number("tau"), Ok(end));
        }
        let asked = inputs.number("samples").unwrap_err().to_string();
        assert_eq!(asked, "no control is called `samples`; there are: tau, samples, measure, kernel");
    }

    #[test]
    fn what_is_not_allowed_is_refused_with_the_value_and_the_range() {
        let points = |at: Value| json!({ "samples": { "at": at } });
        let cells = |cells: Value| json!({ "kernel": cells });
        let cases = [
            (json!({ "tau": 0.0999 }), "`tau` is 0.0999; allowed is 0.1 to 100"),
            (json!({ "tau": 1e300 }), "allowed is 0.1 to 100"),
            (json!({ "tau": "hot" }), "`tau` is \"hot\"; wanted is a finite number"),
            (json!({ "tau": null }), "`tau` is null; wanted is a finite number"),
            (json!({ "measure": 1 }), "`measure` is 1; wanted is true or false"),
            (json!({ "tua": 1.0 }), "no control is called `tua`; there are: tau, samples, measure, kernel"),
            (points(json!([[0, 0], [4.5, 0]])), "x of point 1 of `samples` is 4.5; allowed is 0 to 4"),
            (points(json!([[0, -1.5], [4, 0]])), "y of point 0 of `samples` is -1.5; allowed is -1 to 6"),
            (points(json!([[0, 0]])), "`samples` are 1 points; there must be 2"),
            (points(json!([[0, 0], [0]])), "`samples` is [0]; wanted is"),
            (points(json!([[0, 0], [null, 1]])), "`samples` is [null,1]; wanted is"),
            (cells(json!([0, 0, 0, 0, 5, 0])), "row 1, column 1 of `kernel` is 5.0; allowed is -4 to 4"),
            (cells(json!([0, 0, -4.01, 0, 0, 0])), "row 0, column 2 of `kernel` is -4.01; allowed is"),
            (cells(json!([0, 0, 0, 0, 0])), "`kernel` are 5 cells; there must be 6"),
            (cells(json!([[0, 0, 0], [0, 0, 0]])), "`kernel` are 2 cells; there must be 6"),
            (cells(json!([])), "`kernel` are 0 cells; there must be 6"),
            // What JavaScript makes of a NaN.
            (cells(json!([0, null, 0, 0, 0, 0])), "`kernel` is null; wanted is [number, …], finite"),
            (cells(json!([0, "1", 0, 0, 0, 0])), "`kernel` is \"1\"; wanted is [number, …], finite"),
            (cells(json!(1)), "`kernel` is 1; wanted is [number, …], finite"),
            (json!({ "samples": [[0, 0], [1, 1]] }), "`samples` is [[0,0],[1,1]]; wanted is"),
            (
                json!({ "samples": { "at": [[0, 0], [1, 1]], "chosen": 2 } }),
                "point 2 of `samples` was moved; there are 0 to 1",
            ),
            (
                json!({ "samples": { "at": [[0, 0], [1, 1]], "chosen": -1 } }),
                "point -1 of `samples` was moved",
            ),
        ];
        for (sent, expected) in cases {
            let error = read(sent.clone()).unwrap_err();
            assert!(error.contains(expected), "{sent}: {error}");
        }
    }

    #[test]
    fn what_is_not_finite_is_in_no_range() {
        // JSON has no such numbers, but a caller in Rust may.
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = within("δ", value, (0.1, 3.0)).unwrap_err().to_string();
            assert_eq!(error, format!("δ is {value:?}; allowed is 0.1 to 3"));
        }
    }

    #[test]
    fn a_logarithmic_slider_moves_over_the_logarithms() {
        let html = TEMPERATURE.html();
        for part in
            ["min=\"-1\"", "max=\"2\"", "value=\"0\"", "data-scale=\"log\"", "<span>temperature</span>"]
        {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn a_grid_and_a_button_that_stays_tell_the_script_what_they_are() {
        let html = panel(CONTROLS);
        for part in [
            "role=\"grid\" aria-label=\"own weights\" data-name=\"kernel\" data-size=\"2 3\" data-range=\"-4 4\" data-step=\"1\"",
            "data-values=\"0 0.5 1 0 -1 0\" data-chooses=\"tau 1\"",
            "class=\"clear\"",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("aria-pressed"));
        let stays = Button { name: "train", label: "Train", busy: "Training …", stays: true };
        assert!(stays.html().contains("aria-pressed=\"false\""));
    }
}
