//! Philox-4×32-10: from a counter and a key to four random words, by ten rounds of multiplication.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "philox",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Philox, a counter-based generator",
    latex: r"\begin{aligned} p &= \mathtt{D2511F53}\cdot x_0, \qquad q = \mathtt{CD9E8D57}\cdot x_2 \\ (x_0, x_1, x_2, x_3) &\leftarrow \left(\lfloor q / 2^{32} \rfloor \oplus x_1 \oplus k_0,\; q \bmod 2^{32},\; \lfloor p / 2^{32} \rfloor \oplus x_3 \oplus k_1,\; p \bmod 2^{32}\right) \end{aligned}",
    unicode: "p = 0xD2511F53·x₀, q = 0xCD9E8D57·x₂; x ← (hi q ⊕ x₁ ⊕ k₀, lo q, hi p ⊕ x₃ ⊕ k₁, lo p), ten times; each time k ← k + (0x9E3779B9, 0xBB67AE85)",
    symbols: &[
        Symbol {
            latex: "x",
            code: "x",
            meaning: "at first the counter, at last the random words",
            shape: "[4]",
            unit: "32-bit words",
        },
        Symbol {
            latex: "p",
            code: "p",
            meaning: "the product of the first word, of 64 bits",
            shape: "[]",
            unit: "64-bit word",
        },
        Symbol {
            latex: "q",
            code: "q",
            meaning: "the product of the third word, of 64 bits",
            shape: "[]",
            unit: "64-bit word",
        },
        Symbol {
            latex: "k",
            code: "key",
            meaning: "the key, to which (9E3779B9, BB67AE85) is added after each of the ten rounds, modulo 2³²",
            shape: "[2]",
            unit: "32-bit words",
        },
    ],
    source: "Salmon, Moraes, Dror & Shaw 2011, Parallel Random Numbers: As Easy as 1, 2, 3, §3.3",
    item: item!(fn philox),
    chapter: "initialization",
    printed: None,
};

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Four random words of a counter and a key.
///
/// **Formula** `philox`: ten rounds of (hi q ⊕ x₁ ⊕ k₀, lo q, hi p ⊕ x₃ ⊕ k₁, lo p) with p = 0xD2511F53·x₀ and q = 0xCD9E8D57·x₂.
///
/// **Shapes**: four words of counter, two of key, four words out. **Units**: words of 32 bits.
///
/// **Numerics**: whole numbers only: the same words on every machine. For one key the map from counters to words is one-to-one.
///
/// **Errors**: none.
///
/// **Source**: Salmon, Moraes, Dror & Shaw 2011, §3.3; the words below are the first of the authors' known answers.
///
/// ```
/// use gradus_initialization::philox;
/// assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    Schedule::new(key).words(counter)
}

/// The keys of all rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule([[u64; 2]; ROUNDS]);

impl Schedule {
    pub(super) fn new(key: [u32; 2]) -> Self {
        Self(std::array::from_fn(|round| {
            [0, 1].map(|i| u64::from(key[i].wrapping_add(WEYL[i].wrapping_mul(round as u32))))
        }))
    }

    /// [`philox`]. Each word lies in the lower half of a `u64`, whose upper half may hold anything: so a round is two products, two shifts and four exclusive
    /// ors, and nothing is ever moved between lanes.
    #[inline(always)]
    pub(super) fn words(self, counter: [u32; 4]) -> [u32; 4] {
        const LOW: u64 = 0xFFFF_FFFF;
        let mut x = counter.map(u64::from);
        for [even, odd] in self.0 {
            let p = (x[0] & LOW) * MULTIPLIERS[0];
            let q = (x[2] & LOW) * MULTIPLIERS[1];
            x = [(q >> 32) ^ x[1] ^ even, q, (p >> 32) ^ x[3] ^ odd, p];
        }
        x.map(|word| word as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the authors' library, Random123 1.14 (`tests/kat_vectors`): counter, key, words.
    #[test]
    fn the_authors_known_answers() {
        let all = u32::MAX;
        for (counter, key, words) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([all; 4], [all; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox(counter, key), words);
        }
    }
}
