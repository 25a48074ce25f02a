//! Names like a name that does not exist.

/// The up to three names most like `wrong`, the nearest first; a name's part after its dot counts too, so that
/// `symetry` finds `sigmoid.symmetry`.
pub fn near<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    /// Jaro–Winkler similarity under which two names have nothing to do with each other.
    const FLOOR: f64 = 0.75;
    let wrong = wrong.trim_matches(['*', '?', '.']).to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| {
            let part = name.split_once('.').map_or(name, |(_, part)| part);
            let whole = strsim::jaro_winkler(&wrong, name);
            // The whole name comes first where both are equally like.
            (whole.max(strsim::jaro_winkler(&wrong, part) * 0.98), name)
        })
        .filter(|(score, _)| *score >= FLOOR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_a_part_counts() {
        let names = ["sigmoid.symmetry", "sigmoid", "sigmoid.range", "prelu.identity", "softmax.shift"];
        assert_eq!(near("sigmoid.symetry", names)[0], "sigmoid.symmetry");
        assert_eq!(near("symetry", names), ["sigmoid.symmetry"]);
        assert_eq!(near("Sigmoid*", names)[0], "sigmoid");
        assert_eq!(near("prelu.identty", names), ["prelu.identity"]);
        assert!(near("zzz", names).is_empty());
        assert!(near("sigmoid.", names).len() <= 3);
        assert_eq!(near("x", ["x", "x", "y"]), ["x"], "each name once");
    }
}
