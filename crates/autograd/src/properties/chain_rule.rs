//! The chain rule on whole graphs: by paths, by forward mode, by transposes.

use super::normal;
use crate::Var;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};
use rand::Rng;

const ID: &[&str] = &["backprop-chain-rule"];

pub(super) fn properties() -> Vec<Property> {
    vec![paths(), forward_mode(), transposes(), cotangents()]
}

/// Whole numbers from −3 to 3.
fn small(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() % 7) as f64 - 3.0
}

/// For each node but the first, its parents (repeats allowed) and the weights of the edges.
fn graph(case: &Case<'_>, nodes: usize) -> Vec<Vec<(usize, f64)>> {
    let rng = &mut rng(case.seed("graph"));
    let mut edges = vec![Vec::new()];
    for node in 1..=nodes {
        let parents = 1 + rng.next_u64() % 3;
        edges.push((0..parents).map(|_| ((rng.next_u64() % node as u64) as usize, small(rng))).collect());
    }
    edges
}

/// Σ over all paths from `node` to the first node of the product of the weights on them.
fn over_paths(edges: &[Vec<(usize, f64)>], node: usize) -> f64 {
    if node == 0 {
        return 1.0;
    }
    edges[node].iter().map(|&(parent, weight)| weight * over_paths(edges, parent)).sum()
}

fn paths() -> Property {
    Property::new(
        "backprop-chain-rule.paths",
        ID,
        "in a graph of weighted sums the gradient is the sum over all paths of the product of their weights",
    )
    .draw(Draw::size("nodes", 1..=9).limited(1.0..=11.0))
    .draw(Draw::seed("graph"))
    .check(|case| {
        let edges = graph(case, case.size("nodes"));
        let x = Var::parameter(Tensor::from([1.0]));
        let mut nodes = vec![x.clone()];
        for parents in &edges[1..] {
            let terms = parents.iter().map(|&(parent, weight)| nodes[parent].scale(weight));
            let sum = terms.reduce(|sum, term| sum?.add(&term?));
            nodes.push(sum.ok_or_else(|| case.reject("a node without parents"))??);
        }
        let last = nodes.len() - 1;
        case.classify(edges[1..].iter().flatten().filter(|(parent, _)| *parent == 0).count() > 1, "a fork");
        let gradient = nodes[last].backward()?.take(&x).ok_or(Failure::Error("no gradient".into()))?;
        Ok((gradient.item()? - over_paths(&edges, last)).abs())
    })
}

/// A value and its derivative along a direction: forward mode, which needs no graph.
type Dual = (Tensor<f64>, Tensor<f64>);

fn forward_mode() -> Property {
    Property::new(
        "backprop-chain-rule.forward-mode",
        ID,
        "on a random graph ⟨gradient, direction⟩ is the derivative that forward mode gives along the direction",
    )
    .draw(Draw::size("leaves", 1..=3))
    .draw(Draw::size("nodes", 1..=12))
    .draw(Draw::size("n", 1..=4))
    .draw(Draw::seed("graph"))
    .draw(Draw::seed("values"))
    .draw(Draw::seed("direction"))
    .within("rounding through twelve operations", 1e-12)
    .check(|case| {
        let (leaves, n) = (case.size("leaves"), case.size("n"));
        let mut values = normal(case, "values", &[leaves, n])?.rows()?.collect::<Vec<_>>();
        let directions = normal(case, "direction", &[leaves, n])?.rows()?.collect::<Vec<_>>();
        let mut nodes: Vec<Var<f64>> = values.iter().cloned().map(Var::parameter).collect();
        let mut duals: Vec<Dual> = values.drain(..).zip(directions.iter().cloned()).collect();
        let rng = &mut rng(case.seed("graph"));
        for _ in 0..case.size("nodes") {
            let mut pick = || (rng.next_u64() % nodes.len() as u64) as usize;
            let (a, b) = (pick(), pick());
            let (node, dual) = match rng.next_u64() % 3 {
                0 => half_sum([&nodes[a], &nodes[b]], [&duals[a], &duals[b]])?,
                1 => damped([&nodes[a], &nodes[b]], [&duals[a], &duals[b]])?,
                _ => root(&nodes[a], &duals[a])?,
            };
            nodes.push(node);
            duals.push(dual);
        }
        let (Some(last), Some((_, tangent))) = (nodes.last(), duals.last()) else { return Ok(f64::NAN) };
        let gradients = last.sum()?.backward()?;
        let (mut along, mut size) = (0.0, 1.0);
        for (leaf, direction) in nodes[..leaves].iter().zip(&directions) {
            case.classify(gradients.get(leaf).is_none(), "a leaf that took no part");
            if let Some(gradient) = gradients.get(leaf) {
                along += gradient.dot(direction)?;
                size += gradient.mul(direction)?.abs().sum();
            }
        }
        Ok((along - tangent.sum()).abs() / size)
    })
}

/// (a + b)/2.
fn half_sum([a, b]: [&Var<f64>; 2], [p, q]: [&Dual; 2]) -> Result<(Var<f64>, Dual)> {
    let dual = (p.0.add(&q.0)?.scale(0.5), p.1.add(&q.1)?.scale(0.5));
    Ok((a.add(b)?.scale(0.5)?, dual))
}

/// a·exp(−b²), no larger than a.
fn damped([a, b]: [&Var<f64>; 2], [p, q]: [&Dual; 2]) -> Result<(Var<f64>, Dual)> {
    let bell = q.0.map(|b| (-b * b).exp());
    let slope = q.0.mul(&bell)?.scale(-2.0).mul(&q.1)?;
    let tangent = p.1.mul(&bell)?.add(&p.0.mul(&slope)?)?;
    Ok((a.mul(&b.powi(2)?.neg()?.exp()?)?, (p.0.mul(&bell)?, tangent)))
}

/// √(1 + a²).
fn root(a: &Var<f64>, p: &Dual) -> Result<(Var<f64>, Dual)> {
    let one = Var::constant(Tensor::scalar(1.0));
    let value = p.0.map(|a| (1.0 + a * a).sqrt());
    let tangent = p.0.div(&value)?.mul(&p.1)?;
    Ok((a.powi(2)?.add(&one)?.sqrt()?, (value, tangent)))
}

fn transposes() -> Property {
    Property::new(
        "backprop-chain-rule.transposes",
        ID,
        "through a chain of matrices the gradient goes by their transposes, last to first",
    )
    .draw(Draw::size("n", 1..=3))
    .draw(Draw::size("length", 1..=4))
    .draw(Draw::size("a", 1..=3))
    .draw(Draw::size("b", 1..=3))
    .draw(Draw::seed("values"))
    .check(|case| {
        let rng = &mut rng(case.seed("values"));
        let mut matrix = |rows: usize, columns: usize| Tensor::from_fn([rows, columns], |_| small(rng));
        let width = |i: usize| if i.is_multiple_of(2) { case.size("a") } else { case.size("b") };
        let x = matrix(case.size("n"), width(0))?;
        let maps = (0..case.size("length")).map(|i| matrix(width(i), width(i + 1)));
        let maps = maps.collect::<Result<Vec<_>>>()?;
        let dy = matrix(case.size("n"), width(maps.len()))?;
        let all: Vec<Var<f64>> = std::iter::once(&x).chain(&maps).cloned().map(Var::parameter).collect();
        let mut y = all[0].clone();
        let mut inputs = vec![];
        for map in &all[1..] {
            inputs.push(y.value());
            y = y.matmul(map)?;
        }
        let gradients = y.backward_with(&dy)?;
        let (mut back, mut off) = (dy, 0.0f64);
        let mut compare = |var: &Var<f64>, expected: &Tensor<f64>| -> Result<(), Failure> {
            let gradient = gradients.get(var).ok_or(Failure::Error("no gradient".into()))?;
            off = off.max_or_nan(gradient.max_difference(expected)?);
            Ok(())
        };
        for ((map, var), input) in maps.iter().zip(&all[1..]).zip(&inputs).rev() {
            compare(var, &input.transpose()?.matmul(&back)?)?;
            back = back.matmul(&map.transpose()?)?;
        }
        compare(&all[0], &back)?;
        Ok(off)
    })
}

fn cotangents() -> Property {
    Property::new(
        "backprop-chain-rule.cotangents",
        ID,
        "the gradients are linear in the cotangent that the pass starts from",
    )
    .draw(Draw::size("n", 1..=5))
    .draw(Draw::integer("a", -9..=9).limited(-1e3..=1e3))
    .draw(Draw::integer("b", -9..=9).limited(-1e3..=1e3))
    .draw(Draw::seed("values"))
    .check(|case| {
        let n = case.size("n");
        let rng = &mut rng(case.seed("values"));
        let mut vector = || Tensor::from_fn([n], |_| small(rng));
        let (x, u, v) = (Var::parameter(vector()?), vector()?, vector()?);
        // x·(x + x·x), with forks: a fresh graph for each pass.
        let gradient = |cotangent: &Tensor<f64>| -> Result<Tensor<f64>, Failure> {
            let y = x.mul(&x.add(&x.mul(&x)?)?)?;
            y.backward_with(cotangent)?.take(&x).ok_or(Failure::Error("no gradient".into()))
        };
        let (a, b) = (case.real("a"), case.real("b"));
        let mixed = gradient(&u.scale(a).add(&v.scale(b))?)?;
        Ok(mixed.max_difference(&gradient(&u)?.scale(a).add(&gradient(&v)?.scale(b))?)?)
    })
}
