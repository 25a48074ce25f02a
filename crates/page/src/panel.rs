//! What the explorer's panel shows, as HTML: the form, and what has come of a run so far.

use crate::explorer::MOST_CASES;
use gradus_figures::html;
use gradus_formula::{
    CaseRecord, Counterexample, Draw, DrawReport, Histogram, Outcome, Property, Range, Report, Run, Scale,
    number,
};

/// So many steps of the way to a counterexample are shown: the first and the last ones.
const STEPS: usize = 24;
/// Longer values are cut: an image has hundreds of numbers.
const LONG: usize = 400;

/// The form that asks for ranges, cases and seed.
pub(crate) fn form(property: &Property) -> String {
    let draws: String = property.draws.iter().map(draw).collect();
    let draws = match draws.as_str() {
        "" => "<p>Nothing is drawn: there is one case.</p>".to_owned(),
        _ => format!("<fieldset><legend>What is drawn</legend>{draws}</fieldset>"),
    };
    let kind = match (property.refutation, &property.derivation) {
        (false, _) => "",
        (true, None) => "as printed in the notes: ",
        (true, Some(_)) => "with a line that does not follow: ",
    };
    format!(
        "<p class=\"explore-statement\"><code>{}</code> {kind}{}</p><form>{draws}\
         <p class=\"explore-run\"><label>cases <input type=\"number\" name=\"cases\" min=\"1\" max=\"{MOST_CASES}\" step=\"1\" value=\"256\" required></label> \
         <label>seed <input type=\"number\" name=\"seed\" min=\"0\" max=\"9007199254740991\" step=\"1\" value=\"0\" required></label> \
         <button type=\"submit\">Run</button> <button type=\"button\" class=\"stop\" disabled>Stop</button></p></form>\
         <p class=\"explore-said\" role=\"status\"></p><div class=\"explore-result\"></div>",
        html(property.id),
        html(property.statement),
    )
}

/// What asks for the range of a draw.
fn draw(draw: &Draw) -> String {
    let name = html(draw.name);
    let Range { low, high } = draw.range;
    if let Some(options) = draw.options {
        let options: String = options
            .iter()
            .enumerate()
            .map(|(at, o)| format!("<option value=\"{at}\">{}</option>", html(o)))
            .collect();
        return format!(
            "<p class=\"draw\"><label><code>{name}</code> is <select name=\"{name}\"><option value=\"\">any</option>{options}</select></label></p>"
        );
    }
    // A seed stands for what can't be read from a number: its range says nothing.
    if is_seed(draw.scale, draw.range) {
        return format!("<p class=\"draw\"><code>{name}</code> is a seed, from {low} to {high}</p>");
    }
    let kind = match draw.scale {
        Scale::Integer => "a whole number",
        Scale::Linear => "a number",
        Scale::Log => "a number, evenly in its logarithm,",
    };
    let kind = match draw.shape {
        Some([]) | None => kind.to_owned(),
        Some(shape) => format!("{} numbers, each", html(&shape.join(" × "))),
    };
    let limits = [("min", draw.limit.low), ("max", draw.limit.high)]
        .iter()
        .filter(|(_, limit)| limit.abs() < f64::MAX && limit.abs() > f64::MIN_POSITIVE || *limit == 0.0)
        .map(|(end, limit)| format!(" {end}=\"{limit}\""))
        .collect::<String>();
    let step = if draw.scale == Scale::Integer { "1" } else { "any" };
    let end = |which: &str, value: f64| {
        format!(
            "<input type=\"number\" name=\"{name}\" data-end=\"{which}\" aria-label=\"{name}, {which}\" step=\"{step}\"{limits} value=\"{value}\" required>"
        )
    };
    format!(
        "<p class=\"draw\"><span><code>{name}</code> is {kind}</span> <span>from {} to {}</span></p>",
        end("from", low),
        end("to", high)
    )
}

fn is_seed(scale: Scale, range: Range) -> bool {
    scale == Scale::Integer && range.low == 0.0 && range.high == f64::from(u32::MAX)
}

/// What has come of a run so far.
pub(crate) fn result(run: &Run, report: &Report) -> String {
    let mut out = String::new();
    if let Some(found) = &report.counterexample {
        out += &counterexample(found, report);
    }
    if report.cases > 0 && report.counterexample.is_none() {
        out += &residuals(report);
        if let Some(worst) = report.worst_case.map(|case| run.replay(case)) {
            out += &case("The worst case", &worst);
        }
    }
    let draws: String = report.draws.iter().filter(|d| !is_seed(d.scale, d.range)).map(drawn).collect();
    if report.cases > 0 && !draws.is_empty() {
        out += &format!("<h5>What was drawn</h5><div class=\"bars-row\">{draws}</div>");
        if report.duplicates > 0 {
            out += &format!("<p>{} of {} cases repeat an earlier one.</p>", report.duplicates, report.cases);
        }
    }
    if !report.labels.is_empty() {
        let rows: String = report
            .labels
            .iter()
            .map(|(label, n)| {
                let share = 100.0 * *n as f64 / report.cases.max(1) as f64;
                format!(
                    "<tr><th scope=\"row\">{}</th><td>{n}</td><td><meter min=\"0\" max=\"100\" value=\"{share:.1}\">{share:.1} %</meter> {share:.1} %</td></tr>",
                    html(label)
                )
            })
            .collect();
        out += &format!("<h5>Labels</h5><table class=\"labels\"><tbody>{rows}</tbody></table>");
    }
    if report.rejected > 0 {
        out += &format!(
            "<p>{} cases were given up: they are outside what the property speaks about.</p>",
            report.rejected
        );
    }
    out += &format!("<p>On the command line: <code>{}</code></p>", html(&command(run)));
    out
}

/// The command that does the same.
fn command(run: &Run) -> String {
    let (property, config) = (run.property(), run.config());
    let ranges = config.ranges.names().filter_map(|name| Some((name, config.ranges.get(name)?)));
    let ranges: String =
        ranges.map(|(name, range)| format!(" --range {name}={}..{}", range.low, range.high)).collect();
    format!("cargo explore run {} --cases {} --seed {}{ranges}", property.id, config.cases, config.seed)
}

/// How far the two sides are apart, in tolerances.
fn residuals(report: &Report) -> String {
    let counts = &report.headroom.counts;
    if report.tolerance.value == 0.0 {
        return format!(
            "<h5>Residual</h5><p>The two sides must be equal. They are in {} of {} cases.</p>",
            counts.first().copied().unwrap_or(0),
            report.cases
        );
    }
    let text = format!(
        "residual ÷ tolerance, from 10⁻⁸ or less to more than 1; the largest is {}",
        number(report.residual / report.tolerance.value)
    );
    format!(
        "<h5>Residual</h5><div class=\"bars-row\">{}</div>",
        bars(&report.headroom, &text, ["10⁻⁸", "10"], Some(0.0))
    )
}

/// What was drawn under one name.
fn drawn(report: &DrawReport) -> String {
    let name = html(report.name);
    if let Some(options) = report.options {
        let rows: String = options
            .iter()
            .zip(&report.histogram.counts)
            .map(|(option, n)| format!("<tr><th scope=\"row\">{}</th><td>{n}</td></tr>", html(option)))
            .collect();
        return format!(
            "<div class=\"bars\"><p><code>{name}</code></p><table class=\"labels\"><tbody>{rows}</tbody></table></div>"
        );
    }
    let zeros = match report.zeros {
        0 => String::new(),
        n => format!(", {n} exactly 0"),
    };
    let text = format!(
        "{}: {}, the smallest {}, the largest {}{zeros}",
        report.name,
        match report.histogram.total() {
            1 => "1 value".into(),
            n => format!("{n} values"),
        },
        number(report.smallest),
        number(report.largest)
    );
    let ends = [number(report.range.low), number(report.range.high)];
    bars(&report.histogram, &text, [&ends[0], &ends[1]], None)
}

/// A histogram with its text; what lies right of the mark is beyond what is allowed.
fn bars(histogram: &Histogram, text: &str, ends: [&str; 2], mark: Option<f64>) -> String {
    const WIDTH: f64 = 260.0;
    const HEIGHT: f64 = 60.0;
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let n = histogram.counts.len() as f64;
    let at = |x: f64| (x - histogram.low) / (histogram.high - histogram.low) * WIDTH;
    let mut rects = String::new();
    for (i, &count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (left, width) = (i as f64 / n * WIDTH, WIDTH / n);
        // One case among thousands is seen too.
        let height = (count as f64 / most * HEIGHT).max(1.5);
        let beyond = mark.is_some_and(|mark| left + 0.5 * width > at(mark));
        let class = if beyond { " class=\"beyond\"" } else { "" };
        rects += &format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"{class}/>",
            left + 0.5,
            HEIGHT - height,
            (width - 1.0).max(0.5)
        );
    }
    if let Some(mark) = mark {
        let x = at(mark);
        rects += &format!("<line x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{HEIGHT}\"/>");
    }
    let text = html(text);
    let [low, high] = ends.map(html);
    format!(
        "<div class=\"bars\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{text}\">{rects}</svg>\
         <p class=\"ends\"><span>{low}</span><span>{high}</span></p><p class=\"said\">{text}</p></div>"
    )
}

/// One case in full.
fn case(title: &str, record: &CaseRecord) -> String {
    let inputs: Vec<_> =
        record.inputs.iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    let inputs = if inputs.is_empty() { "nothing is drawn".to_owned() } else { assignments(&inputs) };
    format!(
        "<p><strong>{title}</strong>: case {}, residual {}{}: <span class=\"inputs\">{inputs}</span></p>",
        record.case,
        number(record.residual),
        record.reason.as_ref().map(|reason| format!(" ({})", html(reason))).unwrap_or_default(),
    )
}

/// The smallest counterexample, and the way to it.
fn counterexample(found: &Counterexample, report: &Report) -> String {
    let title = match report.outcome {
        Outcome::Refuted => "The smallest counterexample to the misprint",
        _ => "The smallest counterexample",
    };
    let mut out = format!(
        "<h5>{title}</h5><p class=\"inputs\">{}</p><p>Found in case {} of seed {}, and made smaller in {} steps.</p>",
        if found.inputs.is_empty() { "nothing is drawn".to_owned() } else { assignments(&found.inputs) },
        found.case,
        report.seed,
        found.path.len().saturating_sub(1)
    );
    if found.path.len() > 1 {
        let all = found.path.len();
        let mut rows = String::new();
        for (at, step) in found.path.iter().enumerate() {
            if all > STEPS && at == STEPS / 2 {
                rows += &format!("<tr><td colspan=\"3\">… {} more …</td></tr>", all - STEPS);
            }
            if all > STEPS && (STEPS / 2..all - STEPS / 2).contains(&at) {
                continue;
            }
            rows += &format!(
                "<tr><td>{at}</td><td class=\"inputs\">{}</td><td>{}</td></tr>",
                assignments(&step.inputs),
                number(step.residual)
            );
        }
        out += &format!(
            "<details class=\"path\" open><summary>The way there: every step still fails</summary><div class=\"table-wrapper\"><table><thead><tr>\
             <th scope=\"col\">step</th><th scope=\"col\">inputs</th><th scope=\"col\">residual</th></tr></thead><tbody>{rows}</tbody></table></div></details>"
        );
    }
    out
}

/// `a = 2, x = 1`, long values cut.
fn assignments(inputs: &[(String, String)]) -> String {
    let one = |(name, value): &(String, String)| {
        let cut: String = value.chars().take(LONG).collect();
        let more = if cut.len() < value.len() { " …" } else { "" };
        format!("<code>{} = {}{more}</code>", html(name), html(&cut))
    };
    inputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::Config;

    fn shown(property: &Property, config: &Config) -> String {
        let mut run = Run::new(property, config).unwrap();
        while run.step(&mut |_| {}) {}
        result(&run, &run.report())
    }

    #[test]
    fn the_form_asks_for_what_can_be_set() {
        let property = Property::new("a.b", &["a"], "x < y")
            .draw(Draw::real("x", -2.0..=2.5).limited(-3.0..=3.0))
            .draw(Draw::log("t", 0.1..=10.0))
            .draw(Draw::size("n", 1..=4))
            .draw(Draw::array("v", 0.0..=1.0, &["n", "2"]))
            .draw(Draw::choice("c", &["same", "valid"]))
            .draw(Draw::seed("s"));
        let form = form(&property);
        for part in [
            "<code>a.b</code> x &lt; y",
            "name=\"x\" data-end=\"from\" aria-label=\"x, from\" step=\"any\" min=\"-3\" max=\"3\" value=\"-2\"",
            "name=\"x\" data-end=\"to\" aria-label=\"x, to\" step=\"any\" min=\"-3\" max=\"3\" value=\"2.5\"",
            "name=\"t\" data-end=\"from\" aria-label=\"t, from\" step=\"any\" value=\"0.1\"",
            "name=\"n\" data-end=\"to\" aria-label=\"n, to\" step=\"1\" min=\"1\" max=\"4096\" value=\"4\"",
            "<code>v</code> is n × 2 numbers, each",
            "<select name=\"c\"><option value=\"\">any</option><option value=\"0\">same</option><option value=\"1\">valid</option></select>",
            "<code>s</code> is a seed",
        ] {
            assert!(form.contains(part), "{part}\n{form}");
        }
        assert!(super::form(&Property::new("a.c", &["a"], "…")).contains("Nothing is drawn"));
    }

    #[test]
    fn a_pass_shows_what_was_drawn_and_the_worst_case() {
        let property = Property::new("a.b", &["a"], "…")
            .draw(Draw::real("x", 0.0..=1.0))
            .draw(Draw::choice("c", &["same", "valid"]))
            .within("a bit", 2.0)
            .check(|case| {
                case.classify(case.real("x") < 0.5, "small");
                Ok(case.real("x"))
            });
        let text = shown(&property, &Config::default());
        let mut run = Run::new(&property, &Config::default()).unwrap();
        while run.step(&mut |_| {}) {}
        let worst = run.replay(run.report().worst_case.unwrap());
        for part in [
            format!("<strong>The worst case</strong>: case {}", worst.case),
            format!("<code>x = {}</code>", worst.residual),
            "aria-label=\"x: 256 values".into(),
            "<th scope=\"row\">same</th>".into(),
            "<th scope=\"row\">small</th>".into(),
            "cargo explore run a.b --cases 256 --seed 0".into(),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
        assert!(!text.contains("beyond"));
    }

    #[test]
    fn a_failure_shows_the_smallest_counterexample_and_the_way_to_it() {
        let property = Property::refutation("a.printed", &["a"], "x < 2")
            .draw(Draw::real("x", 0.0..=9.0))
            .holds(|case| Ok(case.real("x") < 2.0));
        let mut config = Config { seed: 5, ..Config::default() };
        config.ranges.set("x", 0.0, 8.0);
        let text = shown(&property, &config);
        for part in [
            "The smallest counterexample to the misprint</h5><p class=\"inputs\"><code>x = 2</code>",
            "of seed 5",
            "<th scope=\"col\">step</th>",
            "--seed 5 --range x=0..8",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn long_values_and_long_ways_are_cut() {
        let property = Property::new("a.b", &["a"], "…")
            .draw(Draw::array("v", 0.0..=1.0, &["40", "40"]))
            .check(|_| Ok(1.0));
        let text = shown(&property, &Config::default());
        assert!(text.len() < 60_000 && text.contains(" more …"), "{} bytes", text.len());
    }
}
