//! What can be said of the next character by counting: n-grams, each order smoothed by the one below it.

use std::collections::HashMap;

/// How often each character followed a context, and how often any did.
#[derive(Default)]
struct Followers {
    counts: HashMap<u32, u32>,
    total: u32,
}

/// Bits a character of `test` by n-grams of up to `order` characters that were counted in `train`.
///
/// Witten and Bell 1991, method C: p(c | context) = (count(c) + kinds·p(c | shorter context)) / (total + kinds), below all of which every
/// character is equally likely. A context that never occurred hands on to the shorter one. Nothing is counted
/// while the test is read, as the model learns nothing either.
pub(super) fn bits(train: &[u32], test: &[u32], order: usize, letters: usize) -> f64 {
    let mut tables: Vec<HashMap<Vec<u32>, Followers>> = (0..order).map(|_| HashMap::new()).collect();
    for at in 0..train.len() {
        for (length, table) in tables.iter_mut().enumerate().take(at + 1) {
            let followers = table.entry(train[at - length..at].to_vec()).or_default();
            *followers.counts.entry(train[at]).or_default() += 1;
            followers.total += 1;
        }
    }
    let mut sum = 0.0;
    for at in 0..test.len() {
        let mut p = 1.0 / letters as f64;
        for (length, table) in tables.iter().enumerate().take(at + 1) {
            if let Some(followers) = table.get(&test[at - length..at]) {
                let seen = f64::from(followers.counts.get(&test[at]).copied().unwrap_or(0));
                let kinds = followers.counts.len() as f64;
                p = (seen + kinds * p) / (f64::from(followers.total) + kinds);
            }
        }
        sum -= p.log2();
    }
    sum / test.len() as f64
}
