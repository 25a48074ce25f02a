//! The quantile function of the standard normal: Wichura's algorithm AS 241, by three rational functions.

use gradus_tensor::math::ln;

/// Numerator and denominator for |p − ½| ≤ 0.425, in 0.425² − (p − ½)².
const MIDDLE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_4,
        13_731.693_765_509_461,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854_6,
    ],
];

/// For r = √(−ln p) ≤ 5, in r − 1.6.
const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

/// For r above 5, in r − 5.
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[inline(always)]
fn rational(x: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |y: f64, &c| y.mul_add(x, c));
    polynomial(above) / polynomial(below)
}

/// The number below which a standard normal lies with probability p.
///
/// **Formula**: Φ⁻¹(p), the inverse of Φ.
///
/// **Shapes**: a number. **Units**: from a probability to standard deviations.
///
/// **Numerics**: about 10⁻¹⁵ relative, down to the smallest p; near 1 there are few numbers p to tell tails apart, so take −Φ⁻¹(1 − p) where 1 − p is
/// known better.
///
/// **Errors**: none; ±∞ at 1 and 0, NaN outside.
///
/// **Source**: Wichura 1988, Algorithm AS 241, routine PPND16.
///
/// ```
/// use gradus_initialization::normal_quantile;
/// assert_eq!(normal_quantile(0.5), 0.0);
/// assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14); // the 1.96 of every 95 % interval
/// ```
#[inline(always)]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    let middle = q * rational(0.180_625 - q * q, &MIDDLE);
    // The smaller side; a NaN, and what is no probability, become NaN in the root.
    let side = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln(side)).sqrt();
    let tail = if r <= 5.0 { rational(r - 1.6, &TAIL) } else { rational(r - 5.0, &FAR) };
    let tail = if side == 0.0 { f64::INFINITY } else { tail };
    if q.abs() <= 0.425 { middle } else { tail.copysign(q) }
}
