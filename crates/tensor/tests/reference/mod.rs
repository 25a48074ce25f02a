//! The functions of `gradus_tensor::math` in double-double arithmetic, by other formulas: series and a continued fraction.
//! The golden file, made by mpmath, checks this reference; this reference checks the functions at many more points.

pub(crate) mod singles;

/// The unevaluated sum of two numbers, the second at most half a unit in the last place of the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Twin(pub(crate) f64, pub(crate) f64);

/// A value times a power of two, so that none underflows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaled(pub(crate) Twin, pub(crate) i32);

const LN_2: [f64; 3] = [std::f64::consts::LN_2, 2.3190468138462996e-17, 5.707708438416212e-34];
const HALF_PI: [f64; 4] =
    [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33, 5.562271104316826e-50];
const TWO_OVER_SQRT_PI: Twin = Twin(std::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17);
const SQRT_HALF: Twin = Twin(std::f64::consts::FRAC_1_SQRT_2, -4.833646656726457e-17);
const ONE: Twin = Twin(1.0, 0.0);

fn two_sum(a: f64, b: f64) -> Twin {
    let s = a + b;
    let t = s - a;
    Twin(s, (a - (s - t)) + (b - t))
}

impl Twin {
    fn new(x: f64) -> Self {
        Twin(x, 0.0)
    }
    fn plus(self, y: Twin) -> Twin {
        let s = two_sum(self.0, y.0);
        let t = two_sum(self.1, y.1);
        let u = two_sum(s.0, s.1 + t.0);
        two_sum(u.0, u.1 + t.1)
    }
    fn times(self, y: Twin) -> Twin {
        let p = self.0 * y.0;
        let e = self.0.mul_add(y.0, -p);
        two_sum(p, e + (self.0 * y.1 + self.1 * y.0))
    }
    fn over(self, y: Twin) -> Twin {
        let q = self.0 / y.0;
        let rest = self.plus(y.times(Twin::new(-q)));
        let r = rest.0 / y.0;
        let rest = rest.plus(y.times(Twin::new(-r)));
        two_sum(q, r).plus(Twin::new(rest.0 / y.0))
    }
    fn negated(self) -> Twin {
        Twin(-self.0, -self.1)
    }
    fn scaled(self, n: i32) -> Twin {
        Twin(scale(self.0, n), scale(self.1, n))
    }
}

/// x·2ⁿ, in two steps.
pub(crate) fn scale(x: f64, n: i32) -> f64 {
    let half = n / 2;
    x * 2f64.powi(half) * 2f64.powi(n - half)
}

/// eˣ − 1 = 2ⁿ(1 + g) − 1: g and n.
fn growth(x: Twin) -> (Twin, i32) {
    let n = (x.0 / LN_2[0]).round();
    let mut r = x;
    for part in LN_2 {
        r = r.plus(Twin::new(part).times(Twin::new(-n)));
    }
    let mut g = Twin::new(0.0);
    for k in (1..=28).rev() {
        g = r.over(Twin::new(f64::from(k))).times(ONE.plus(g));
    }
    (g, n as i32)
}

fn exp_twin(x: Twin) -> Scaled {
    let (g, n) = growth(x);
    Scaled(ONE.plus(g), n)
}

fn exp_m1_twin(x: Twin) -> Scaled {
    let (g, n) = growth(x);
    match n {
        0 => Scaled(g, 0),
        200.. => Scaled(ONE.plus(g), n),
        _ => Scaled(ONE.plus(g).scaled(n).plus(Twin::new(-1.0)), 0),
    }
}

/// ln(1 + x), by one step of Newton's method.
fn ln_1p_twin(x: Twin) -> Twin {
    let y = x.0.ln_1p();
    let (g, n) = growth(Twin::new(-y));
    let t = if n == 0 {
        x.plus(g).plus(x.times(g))
    } else {
        ONE.plus(x).scaled(n).times(ONE.plus(g)).plus(Twin::new(-1.0))
    };
    Twin::new(y).plus(t.plus(t.times(t).times(Twin::new(-0.5))))
}

fn ln_twin(x: f64) -> Twin {
    if (0.5..=2.0).contains(&x) {
        return ln_1p_twin(Twin::new(x - 1.0)); // an exact difference
    }
    let y = x.ln();
    let (g, n) = growth(Twin::new(-y));
    let t = Twin::new(scale(x, n)).times(ONE.plus(g)).plus(Twin::new(-1.0));
    Twin::new(y).plus(t.plus(t.times(t).times(Twin::new(-0.5))))
}

/// exp(−a²)·(series): erf by its series of positive terms.
fn erf_series(x: Twin) -> Twin {
    let square = x.times(x);
    let (mut term, mut sum) = (x, x);
    let mut k = 1.0;
    while term.0 > sum.0 * 1e-34 {
        k += 2.0;
        term = term.times(square).times(Twin::new(2.0)).over(Twin::new(k));
        sum = sum.plus(term);
    }
    let Scaled(e, n) = exp_twin(square.negated());
    sum.times(e).times(TWO_OVER_SQRT_PI).scaled(n)
}

/// erfc of a number that is at least 0.
fn erfc_twin(a: Twin) -> Scaled {
    if a.0 < 2.5 {
        return Scaled(ONE.plus(erf_series(a).negated()), 0);
    }
    let terms = (600.0 / a.0) as u32 + 8;
    let mut fraction = a;
    for k in (1..=terms).rev() {
        fraction = a.plus(Twin::new(f64::from(k) / 2.0).over(fraction));
    }
    let Scaled(e, n) = exp_twin(a.times(a).negated());
    Scaled(e.times(TWO_OVER_SQRT_PI).times(Twin::new(0.5)).over(fraction), n)
}

/// Sine and cosine, for |x| up to 2³⁰.
fn sin_cos(x: f64) -> (Twin, Twin) {
    let n = (x / HALF_PI[0]).round();
    let mut r = Twin::new(x);
    for part in HALF_PI {
        r = r.plus(Twin::new(part).times(Twin::new(-n)));
    }
    let square = r.times(r).negated();
    let series = |first: Twin, start: i32| {
        let (mut term, mut sum) = (first, first);
        for k in (start..start + 28).step_by(2) {
            term = term.times(square).over(Twin::new(f64::from(k * (k + 1))));
            sum = sum.plus(term);
        }
        sum
    };
    let (s, c) = (series(r, 2), series(ONE, 1));
    match n.rem_euclid(4.0) as i32 {
        0 => (s, c),
        1 => (c, s.negated()),
        2 => (s.negated(), c.negated()),
        _ => (c.negated(), s),
    }
}

/// The function of this name at a finite x at which it is finite.
pub(crate) fn reference(name: &str, x: f64) -> Scaled {
    let at = Twin::new(x);
    let plain = |y| Scaled(y, 0);
    match name {
        "exp" => exp_twin(at),
        "exp_m1" => exp_m1_twin(at),
        "ln" => plain(ln_twin(x)),
        "ln_1p" => plain(ln_1p_twin(at)),
        "softplus" => {
            let Scaled(z, n) = exp_twin(Twin::new(-x.abs()));
            let log = if n < -200 { Scaled(z, n) } else { plain(ln_1p_twin(z.scaled(n))) };
            if x > 0.0 { plain(at.plus(log.0.scaled(log.1))) } else { log }
        }
        "tanh" => {
            let Scaled(g, n) = exp_m1_twin(Twin::new(2.0 * x.abs().min(40.0)));
            let g = g.scaled(n);
            let y = g.over(g.plus(Twin::new(2.0)));
            plain(if x < 0.0 { y.negated() } else { y })
        }
        "sigmoid" => {
            let Scaled(z, n) = exp_twin(Twin::new(-x.abs()));
            let sum = if n < -200 { ONE } else { ONE.plus(z.scaled(n)) };
            if x < 0.0 { Scaled(z.over(sum), n) } else { plain(ONE.over(sum)) }
        }
        "erf" => {
            let a = Twin::new(x.abs().min(7.0));
            let y = if a.0 < 2.5 {
                erf_series(a)
            } else {
                let Scaled(tail, n) = erfc_twin(a);
                ONE.plus(tail.scaled(n).negated())
            };
            plain(if x < 0.0 { y.negated() } else { y })
        }
        "erfc" | "normal_cdf" => {
            let (a, half) = if name == "erfc" { (at, 0) } else { (at.times(SQRT_HALF).negated(), -1) };
            if a.0 < 0.0 {
                let a = a.negated();
                let Scaled(tail, n) = if a.0 < 7.0 { erfc_twin(a) } else { plain(Twin::new(0.0)) };
                Scaled(Twin::new(2.0).plus(tail.scaled(n).negated()), half)
            } else {
                let Scaled(tail, n) = erfc_twin(a);
                Scaled(tail, n + half)
            }
        }
        "gelu" => {
            let Scaled(cdf, n) = reference("normal_cdf", x);
            Scaled(cdf.times(at), n)
        }
        "sin" => plain(sin_cos(x).0),
        _ => plain(sin_cos(x).1),
    }
}

/// How far `got` is from the value, in units in the last place of a precision with `digits` binary digits whose smallest
/// number is 2 to `least`.
pub(crate) fn ulps(got: f64, want: Scaled, digits: i32, least: i32) -> f64 {
    let Scaled(Twin(high, low), n) = want;
    if high == 0.0 {
        return if got == 0.0 { 0.0 } else { f64::INFINITY };
    }
    // Of a tail far below what `scale` can bring back, the difference is still told by its own scale.
    let difference = (scale(got, -n) - high) - low;
    let exponent = ((high.abs().to_bits() >> 52) as i32 - 1023).max(-1022);
    difference.abs() / 2f64.powi((exponent + 1 - digits).max((least - n).clamp(-1074, 1000)))
}
