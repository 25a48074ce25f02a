//! Values that PyTorch computed: `golden/trajectories.py` says how, `golden/*.csv` hold them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_autograd::Var;
use gradus_datasets::Table;
use gradus_optimization::{
    Adam, AdamW, Anneal, Cosine, MultiStep, OneCycle, Optimizer, Plateau, Polynomial, RmsProp, Schedule, Sgd,
    StepDecay, Threshold,
};
use gradus_tensor::Tensor;
use std::collections::BTreeMap;

/// Ten steps of a few operations each, of numbers of about 1: the order of the operations is not PyTorch's everywhere.
const WEIGHT_ULPS: f64 = 8.0;
/// A cosine, and a product of factors of a tenth for a quotient of a power.
const RATE_ULPS: f64 = 16.0;

fn table(file: &str) -> Table {
    Table::read(format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn ulps(got: f64, want: f64, size: f64) -> f64 {
    (got - want).abs() / (f64::EPSILON * want.abs().max(size))
}

fn optimizer(name: &str) -> Box<dyn Optimizer<f64>> {
    match name {
        "sgd" => Box::new(Sgd::new(0.1)),
        "sgd-decay" => Box::new(Sgd::new(0.1).weight_decay(0.05)),
        "sgd-momentum" => Box::new(Sgd::new(0.1).momentum(0.9)),
        "sgd-momentum-decay" => Box::new(Sgd::new(0.1).momentum(0.9).weight_decay(0.05)),
        "sgd-nesterov" => Box::new(Sgd::new(0.1).momentum(0.9).nesterov(true).weight_decay(0.05)),
        "adam" => Box::new(Adam::new(0.1)),
        "adam-decay" => Box::new(Adam::new(0.1).betas(0.8, 0.95).epsilon(1e-3).weight_decay(0.05)),
        "adamw" => Box::new(AdamW::new(0.1)),
        "adamw-decay" => Box::new(AdamW::new(0.1).betas(0.8, 0.95).epsilon(1e-3).weight_decay(0.2)),
        "rmsprop" => Box::new(RmsProp::new(0.1)),
        "rmsprop-decay" => Box::new(RmsProp::new(0.1).alpha(0.9).epsilon(1e-3).weight_decay(0.05)),
        "rmsprop-momentum" => Box::new(RmsProp::new(0.1).momentum(0.9)),
        "rmsprop-centred" => Box::new(RmsProp::new(0.1).centred(true)),
        "rmsprop-all" => {
            Box::new(RmsProp::new(0.1).alpha(0.9).momentum(0.5).centred(true).weight_decay(0.05))
        }
        other => panic!("no such case: {other}"),
    }
}

#[test]
fn ten_steps_of_every_optimiser_are_pytorchs() {
    let table = table("optimizers.csv");
    let (codes, names) = table.classes("case").unwrap();
    assert_eq!(names.len(), 14);
    let numbers = table.tensor(&["step", "component", "gradient", "weight"]).unwrap();
    let mut worst = BTreeMap::new();
    for (code, name) in names.iter().enumerate() {
        let rows: Vec<Vec<f64>> = numbers
            .rows()
            .unwrap()
            .zip(codes.as_slice())
            .filter(|(_, c)| **c as usize == code)
            .map(|(row, _)| row.into_vec())
            .collect();
        assert_eq!(rows.len(), 30, "{name}");
        let (mut optimizer, w) = (optimizer(name), Var::parameter(Tensor::from([0.5, -1.25, 3.0])));
        for step in rows.chunks(3) {
            let g: Tensor<f64> = step.iter().map(|row| row[2]).collect();
            let gradients = w.mul(&Var::constant(g)).unwrap().sum().unwrap().backward().unwrap();
            optimizer.set_learning_rate(if step[0][0] < 6.0 { 0.1 } else { 0.03 }).unwrap();
            optimizer.step(&w, &gradients).unwrap();
            for (row, got) in step.iter().zip(w.value().as_slice()) {
                let off = ulps(*got, row[3], 1.0);
                assert!(off <= WEIGHT_ULPS, "{name}, step {}: {got}, PyTorch {}: {off} ulp", row[0], row[3]);
                let most = worst.entry(name.as_str()).or_insert(0.0f64);
                *most = most.max(off);
            }
        }
    }
    println!("worst ulp: {worst:.1?}");
}

#[test]
fn schedules_are_pytorchs() {
    let cosine = |steps| Cosine::new(0.1, 0.01, steps).unwrap();
    let line = OneCycle::new(0.1, 41).unwrap().rise(0.45).unwrap().divisors(5.0, 20.0).unwrap();
    let schedules: BTreeMap<&str, Box<dyn Schedule>> = BTreeMap::from([
        ("cosine", Box::new(cosine(40)) as Box<dyn Schedule>),
        ("restarts", Box::new(cosine(8).restarts(2).unwrap())),
        ("one-cycle", Box::new(OneCycle::new(0.1, 41).unwrap())),
        ("one-cycle-line", Box::new(line.anneal(Anneal::Line))),
        ("step", Box::new(StepDecay::new(0.1, 10.0, 7).unwrap())),
        ("multi-step", Box::new(MultiStep::new(0.1, 10.0, &[3, 9, 30]).unwrap())),
        ("polynomial", Box::new(Polynomial::new(0.1, 0.0, 40, 2.0).unwrap())),
    ]);
    let table = table("schedules.csv");
    let (codes, names) = table.classes("case").unwrap();
    assert_eq!(names.len(), schedules.len() + 1, "and the plateau");
    let numbers = table.tensor(&["step", "rate"]).unwrap();
    let mut plateau = Plateau::new(0.1).unwrap().patience(2).cooldown(3).minimum(1e-4).unwrap();
    plateau = plateau.threshold(Threshold::Absolute(0.01)).unwrap();
    let (mut drops, mut worst) = (0, 0.0f64);
    for (row, &code) in numbers.rows().unwrap().zip(codes.as_slice()) {
        let &[step, rate] = row.as_slice() else { unreachable!("two columns") };
        let name = names[code as usize].as_str();
        let got = match schedules.get(name) {
            Some(schedule) => schedule.rate(step as u64),
            None => {
                let (rate, step) = (plateau.rate(), step as u64);
                let shaking = (step * 7 % 5) as f64 / 8.0;
                plateau.observe((10.0 - step as f64).max(5.0) + shaking);
                drops = plateau.drops();
                rate
            }
        };
        // PyTorch's cosine is a recursion, whose error grows where the rate is small; this is measured by the peak.
        let off = ulps(got, rate, 0.1);
        worst = worst.max(off);
        assert!(off <= RATE_ULPS, "{name}, step {step}: {got}, PyTorch {rate}: {off} ulp");
    }
    println!("worst ulp: {worst:.1}");
    assert!(drops >= 3, "the plateau was one: {drops}");
}
