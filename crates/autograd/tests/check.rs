//! The gradient check itself: each kind of wrong operation must fail it.

use gradus_autograd::{Op, OpMany, gradient_property, gradient_property_many};
use gradus_formula::{Config, Draw, Property, run};
use gradus_tensor::{Result, Tensor, tensor_of};

/// What is wrong with an operation that should be x, y ↦ x².
#[derive(Clone, Copy, PartialEq)]
enum Slip {
    None,
    Factor,
    Sign,
    Nan,
    Shape,
    Missing,
    Unasked,
    AskedAlone,
    Eval,
}

struct Square(Slip);

impl Square {
    fn gradients(
        &self,
        x: &Tensor<f64>,
        y: &Tensor<f64>,
        dy: &Tensor<f64>,
        wants: [bool; 2],
    ) -> [Option<Tensor<f64>>; 2] {
        let slope = match self.0 {
            Slip::Factor => 2.0 + 1e-7,
            Slip::Sign => -2.0,
            Slip::AskedAlone if wants == [true, false] => 2.0 + 1e-15,
            _ => 2.0,
        };
        let mut dx: Vec<f64> = x.as_slice().iter().zip(dy.as_slice()).map(|(x, d)| slope * x * d).collect();
        if self.0 == Slip::Nan {
            dx[0] = f64::NAN;
        }
        let dx = Tensor::from(dx);
        let dx = if self.0 == Slip::Shape { dx.insert_axis(0).unwrap_or(dx) } else { dx };
        let asked = |wants: bool, gradient| (wants || self.0 == Slip::Unasked).then_some(gradient);
        let dx = if self.0 == Slip::Missing { None } else { asked(wants[0], dx) };
        [dx, asked(wants[1], y.zeros_like())]
    }

    fn evaluated(&self, x: &Tensor<f64>) -> Tensor<f64> {
        match self.0 {
            Slip::Eval => x.map(|v| v * v * (1.0 + f64::EPSILON)),
            _ => x.map(|v| v * v),
        }
    }
}

impl Op<f64, 2> for Square {
    type Saved = ();

    fn forward(&self, [x, _]: [&Tensor<f64>; 2]) -> Result<(Tensor<f64>, ())> {
        Ok((x.map(|v| v * v), ()))
    }

    fn vjp(
        &self,
        [x, y]: [&Tensor<f64>; 2],
        (): &(),
        dy: &Tensor<f64>,
        wants: [bool; 2],
    ) -> Result<[Option<Tensor<f64>>; 2]> {
        Ok(self.gradients(x, y, dy, wants))
    }

    fn eval(&self, [x, _]: [&Tensor<f64>; 2]) -> Result<Tensor<f64>> {
        Ok(self.evaluated(x))
    }
}

impl OpMany<f64> for Square {
    type Saved = ();

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Result<(Tensor<f64>, ())> {
        Ok((inputs[0].map(|v| v * v), ()))
    }

    fn vjp(
        &self,
        inputs: &[&Tensor<f64>],
        (): &(),
        dy: &Tensor<f64>,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor<f64>>>> {
        Ok(self.gradients(inputs[0], inputs[1], dy, [wants[0], wants[1]]).into())
    }

    fn eval(&self, inputs: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok(self.evaluated(inputs[0]))
    }
}

#[test]
fn a_right_operation_passes_and_every_slip_fails() {
    use Slip::*;
    for (slip, name) in [
        (None, "none"),
        (Factor, "factor"),
        (Sign, "sign"),
        (Nan, "nan"),
        (Shape, "shape"),
        (Missing, "missing"),
        (Unasked, "unasked"),
        (AskedAlone, "asked alone"),
        (Eval, "eval"),
    ] {
        let draws = || {
            Property::new("test.square", &[], "the gradient of x²")
                .draw(Draw::size("n", 1..=4))
                .draw(Draw::array("x", 0.5..=3.0, &["n"]))
        };
        let properties = [
            gradient_property(draws(), move |case| {
                let x = tensor_of(case.array("x"))?;
                Ok((Square(slip), [x.clone(), x]))
            }),
            gradient_property_many(draws(), move |case| {
                let x = tensor_of(case.array("x"))?;
                Ok((Square(slip), vec![x.clone(), x]))
            }),
        ];
        for property in properties {
            let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
            assert_eq!(report.passed(), slip == None, "{name}: {:?}", report.counterexample);
        }
    }
}
