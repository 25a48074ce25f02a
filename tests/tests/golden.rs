//! Values that others computed: `golden/*.py` says how, `golden/*.csv` holds them.

use gradus_activations::{
    elu, elu_derivative, gelu, gelu_derivative, gelu_tanh, gelu_tanh_derivative, log_sigmoid,
    log_sigmoid_derivative, logit, logit_derivative, mish, mish_derivative, selu, selu_derivative, sigmoid,
    sigmoid_derivative, silu, silu_derivative, softplus, softplus_derivative, tanh, tanh_derivative,
};
use gradus_datasets::Table;
use std::collections::BTreeMap;

/// How far from the exact value, in units of its last place. Derivatives have a zero where the function turns, so
/// near it only their distance relative to the largest slope, about 1, means something.
const VALUE_ULPS: f64 = 6.0;
const DERIVATIVE_ULPS: f64 = 16.0;

type Function = fn(f64) -> f64;

#[test]
fn activations_to_the_last_place() {
    let functions: BTreeMap<&str, (Function, Function)> = [
        ("sigmoid", (sigmoid as Function, sigmoid_derivative as Function)),
        ("log_sigmoid", (log_sigmoid, log_sigmoid_derivative)),
        ("tanh", (tanh, tanh_derivative)),
        ("softplus", (softplus, softplus_derivative)),
        ("elu", (|x| elu(x, 1.0), |x| elu_derivative(x, 1.0))),
        ("selu", (selu, selu_derivative)),
        ("silu", (silu, silu_derivative)),
        ("gelu", (gelu, gelu_derivative)),
        ("gelu_tanh", (gelu_tanh, gelu_tanh_derivative)),
        ("mish", (mish, mish_derivative)),
        ("logit", (logit, logit_derivative)),
    ]
    .into();
    let table = Table::read(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/activations.csv")).unwrap();
    let (codes, names) = table.classes("function").unwrap();
    assert_eq!(names.len(), functions.len(), "every function has its rows");
    let numbers = table.tensor(&["x", "value", "derivative"]).unwrap();
    let mut worst: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (row, &code) in numbers.rows().unwrap().zip(codes.as_slice()) {
        let &[x, value, derivative] = row.as_slice() else { unreachable!("three columns") };
        let name = names[code as usize].as_str();
        let (f, slope) = functions[name];
        let ulps = (f(x) - value).abs() / (f64::EPSILON * value.abs().max(1e-300));
        let off = (slope(x) - derivative).abs() / (f64::EPSILON * derivative.abs().max(0.01));
        // GELU's left tail is an exponential of −x²/2 (exact) or 2u(x) (by tanh): a rounding of the exponent in its
        // last place is that many ulps of the value.
        let exponent = match name {
            "gelu" if x < 0.0 => x * x,
            "gelu_tanh" if x < 0.0 => 4.0 * 0.8 * (x.abs() + 0.044715 * x.abs().powi(3)),
            _ => 0.0,
        };
        let allowed = VALUE_ULPS + exponent;
        assert!(ulps <= allowed, "{name}({x:e}) = {:e}, exactly {value:e}: {ulps:.1} ulp", f(x));
        assert!(
            off <= DERIVATIVE_ULPS,
            "{name}'({x:e}) = {:e}, exactly {derivative:e}: {off:.1} ulp",
            slope(x)
        );
        let seen = worst.entry(functions.get_key_value(name).unwrap().0).or_default();
        *seen = (seen.0.max(ulps), seen.1.max(off));
    }
    for (name, (value, derivative)) in worst {
        println!("{name:12} value {value:6.2} ulp   derivative {derivative:6.2} ulp");
    }
}
