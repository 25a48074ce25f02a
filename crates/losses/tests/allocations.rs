//! How often a pass through a small network asks for memory: what an operation costs when it computes next to nothing.
#![allow(clippy::unwrap_used)] // helpers of the tests

use allocation_counter::measure;
use gradus_activations::{Activations, relu};
use gradus_autograd::Var;
use gradus_losses::CrossEntropy;
use gradus_tensor::Tensor;

/// The weights and biases of a network 64–64–10.
fn weights() -> [Tensor; 4] {
    let number = |i: &[usize]| ((7 * i[0] + 3 * i.get(1).unwrap_or(&5)) % 11) as f32 * 0.01 - 0.05;
    [&[64usize, 64] as &[usize], &[64], &[64, 10], &[10]].map(|dims| Tensor::from_fn(dims, number).unwrap())
}

/// The allocations of the second call: the first may set up what stays.
fn allocations(mut f: impl FnMut()) -> u64 {
    f();
    measure(f).count_total
}

#[test]
fn a_forward_pass_allocates_its_two_results_and_no_more() {
    let [w1, b1, w2, b2] = weights();
    let x = Tensor::ones([1, 64]).unwrap();
    // A tensor is two: its elements, and what tells how many share them.
    let count = allocations(|| {
        let hidden = x.affine(&w1, &b1).unwrap().map_owned(relu);
        hidden.affine(&w2, &b2).unwrap();
    });
    assert_eq!(count, 4);
}

#[test]
fn an_operation_on_variables_allocates_its_value_and_its_node() {
    let x = Var::constant(Tensor::<f32>::ones([1, 64]).unwrap());
    assert_eq!(allocations(|| drop(x.add(&x).unwrap())), 3, "untracked: the value's two, and the variable");
    let p = Var::parameter(Tensor::<f32>::ones([1, 64]).unwrap());
    assert_eq!(
        allocations(|| drop(p.add(&x).unwrap())),
        5,
        "tracked: the step too, and dropping it keeps a list"
    );
}

#[test]
fn a_training_step_allocates_no_more_than_it_did() {
    let parameters = weights().map(Var::parameter);
    let [w1, b1, w2, b2] = &parameters;
    let (x, class) = (Var::constant(Tensor::ones([1, 64]).unwrap()), Tensor::from([1u32]));
    let count = allocations(|| {
        let hidden = x.matmul(w1).unwrap().add(b1).unwrap().relu().unwrap();
        let scores = hidden.matmul(w2).unwrap().add(b2).unwrap();
        let loss = Var::apply(CrossEntropy::new(&class), [&scores]).unwrap();
        let gradients = loss.backward().unwrap();
        drop((hidden, scores, loss)); // else the graph shares the weights, and the update copies them
        for p in &parameters {
            p.update(|w| w.add_scaled(-0.01, gradients.get(p).unwrap())).unwrap();
        }
    });
    assert!(count <= 52, "{count} allocations");
}
