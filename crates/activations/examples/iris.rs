//! Trains the linear classifier of `linear_softmax` on Fisher's iris and says which flowers it confuses.
//!
//! `cargo run -p gradus-activations --example iris [STEPS] [RATE]`

#![allow(clippy::print_stdout)] // a program prints

use gradus_activations::{Activations, linear_softmax};
use gradus_autograd::Var;
use gradus_datasets::{Classification, iris};
use gradus_tensor::Tensor;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Features, centred and scaled by the training set's statistics, with a column of ones in front.
fn inputs(data: &Classification, mean: &Tensor<f64>, deviation: &Tensor<f64>) -> Outcome<Tensor<f64>> {
    let scaled = data.features.sub(mean)?.div(deviation)?;
    Ok(Tensor::concatenate(&[&Tensor::ones([data.len(), 1])?, &scaled], 1)?)
}

/// 1 in the column of each sample's class.
fn one_hot(data: &Classification) -> Outcome<Tensor<f64>> {
    Ok(Tensor::eye(data.target_names.len())?.gather(0, data.target.as_slice())?)
}

fn argument<T: std::str::FromStr>(n: usize, name: &str, default: T) -> Outcome<T> {
    match std::env::args().nth(n) {
        Some(text) => text.parse().map_err(|_| format!("{name} = `{text}` is not a number").into()),
        None => Ok(default),
    }
}

fn main() -> Outcome<()> {
    let (steps, rate) = (argument(1, "STEPS", 300)?, argument(2, "RATE", 0.5)?);
    let (train, test) = iris()?.split(0.7, 7)?;
    let mean = train.features.mean_axis(0)?;
    let deviation = train.features.variance_axis(0, 1)?.sqrt();
    let (x, y) = (inputs(&train, &mean, &deviation)?, Var::constant(one_hot(&train)?));
    let theta = Var::parameter(Tensor::<f64>::zeros([x.dims()[1], train.target_names.len()])?);
    let x = Var::constant(x);

    println!("{} flowers to learn from, {} to be judged by", train.len(), test.len());
    for step in 0..=steps {
        // The negative log-probability of the true class, averaged.
        let log_p = x.matmul(&theta)?.log_softmax(1)?;
        let loss = log_p.mul(&y)?.sum()?.scale(-1.0 / train.len() as f64)?;
        if step % (steps / 6).max(1) == 0 {
            println!("step {step:4}   loss {:.4}", loss.item()?);
        }
        let gradients = loss.backward()?;
        drop((log_p, loss)); // the graph goes before the step, so that the update is in place
        if let Some(gradient) = gradients.get(&theta) {
            theta.update(|value| value.add_scaled(-rate, gradient))?;
        }
    }

    let p = linear_softmax(&inputs(&test, &mean, &deviation)?, &theta.value())?;
    let guess = p.argmax_axis(1)?;
    let classes = test.target_names.len();
    let mut confusion = Tensor::<u32>::zeros([classes, classes])?;
    for (&truth, &guess) in test.target.as_slice().iter().zip(guess.as_slice()) {
        let at = [truth as usize, guess as usize];
        confusion.set(at, confusion.get(at)? + 1)?;
    }
    let right: u32 = (0..classes).map(|k| confusion.get([k, k]).unwrap_or(0)).sum();
    println!("\n{right} of {} right. Rows: the truth; columns: the guess.", test.len());
    for (k, name) in test.target_names.iter().enumerate() {
        let row: Vec<String> = confusion.select(0, k)?.as_slice().iter().map(|n| format!("{n:4}")).collect();
        println!("{name:>12} {}", row.concat());
    }
    let doubtful = p.max_axis(1)?.neg().argmax_axis(0)?.item()? as usize;
    println!(
        "\nThe most doubtful flower, a {}:",
        test.target_names[test.target.as_slice()[doubtful] as usize]
    );
    for (name, p) in test.target_names.iter().zip(p.select(0, doubtful)?.as_slice()) {
        println!("{name:>12} {:5.1} %", 100.0 * p);
    }
    Ok(())
}
