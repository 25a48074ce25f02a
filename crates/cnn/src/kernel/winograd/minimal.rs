//! Minimal filtering: M outputs of a filter of three taps by M + 2 products in place of 3·M. (Winograd 1980; Lavin & Gray 2016.)
//!
//! The outputs are y = Aᵀ·((G·g) ⊙ (Bᵀ·d)) of the inputs d and the filter g: a polynomial product by values at M + 1 points and at infinity.

use gradus_tensor::Scalar;

/// A minimal filtering algorithm, in one dimension; A = M + 2. In two it is applied along both axes.
pub(super) trait Minimal<T, const M: usize, const A: usize>: Copy + Sync {
    /// Bᵀ·d.
    fn input(self, d: [T; A]) -> [T; A];
    /// G·g.
    fn filter(self, g: [T; 3]) -> [T; A];
    /// Aᵀ·m.
    fn output(self, m: [T; A]) -> [T; M];
    /// A·dy: the adjoint of [`output`](Self::output).
    fn spread(self, dy: [T; M]) -> [T; A];
    /// Gᵀ·u: the adjoint of [`filter`](Self::filter).
    fn gather(self, u: [T; A]) -> [T; 3];
}

/// Two outputs by four products: the points 0, 1, −1.
#[derive(Clone, Copy)]
pub(super) struct Two;

impl<T: Scalar> Minimal<T, 2, 4> for Two {
    #[inline(always)]
    fn input(self, [d0, d1, d2, d3]: [T; 4]) -> [T; 4] {
        [d0 - d2, d1 + d2, d2 - d1, d3 - d1]
    }

    #[inline(always)]
    fn filter(self, [g0, g1, g2]: [T; 3]) -> [T; 4] {
        let half = T::of(0.5);
        let even = (g0 + g2) * half;
        [g0, even + g1 * half, even - g1 * half, g2]
    }

    #[inline(always)]
    fn output(self, [m0, m1, m2, m3]: [T; 4]) -> [T; 2] {
        [m0 + m1 + m2, m1 - m2 + m3]
    }

    #[inline(always)]
    fn spread(self, [y0, y1]: [T; 2]) -> [T; 4] {
        [y0, y0 + y1, y0 - y1, y1]
    }

    #[inline(always)]
    fn gather(self, [u0, u1, u2, u3]: [T; 4]) -> [T; 3] {
        let half = T::of(0.5);
        let even = (u1 + u2) * half;
        [u0 + even, (u1 - u2) * half, even + u3]
    }
}

/// Four outputs by six products: the points 0, ±a, ±b.
///
/// With a = 5/8 and b = 3/2 the largest error is a fifth of that with the textbook's 1 and 2.
#[derive(Clone, Copy)]
pub(super) struct Four<T> {
    a: T,
    b: T,
    /// a², b², a²b², −(a² + b²).
    squares: [T; 4],
    /// a³, b³.
    cubes: [T; 2],
    /// 1/(a²b²), 1/(2a²(a² − b²)), 1/(2b²(b² − a²)).
    scales: [T; 3],
}

impl<T: Scalar> Four<T> {
    pub(super) fn new() -> Self {
        let (a, b) = (0.625, 1.5);
        let (a2, b2) = (a * a, b * b);
        let difference: f64 = a2 - b2;
        Self {
            a: T::of(a),
            b: T::of(b),
            squares: [a2, b2, a2 * b2, -(a2 + b2)].map(T::of),
            cubes: [a2 * a, b2 * b].map(T::of),
            scales: [1.0 / (a2 * b2), 0.5 / (a2 * difference), -0.5 / (b2 * difference)].map(T::of),
        }
    }
}

/// p + q and p − q: what the points ±a share.
#[inline(always)]
fn both<T: Scalar>(even: T, odd: T) -> [T; 2] {
    [even + odd, even - odd]
}

impl<T: Scalar> Minimal<T, 4, 6> for Four<T> {
    #[inline(always)]
    fn input(self, [d0, d1, d2, d3, d4, d5]: [T; 6]) -> [T; 6] {
        let [a2, b2, product, sum] = self.squares;
        let [o1, o2] = both(Scalar::mul_add(-b2, d2, d4), self.a * Scalar::mul_add(-b2, d1, d3));
        let [o3, o4] = both(Scalar::mul_add(-a2, d2, d4), self.b * Scalar::mul_add(-a2, d1, d3));
        let first = Scalar::mul_add(product, d0, Scalar::mul_add(sum, d2, d4));
        let last = Scalar::mul_add(product, d1, Scalar::mul_add(sum, d3, d5));
        [first, o1, o2, o3, o4, last]
    }

    #[inline(always)]
    fn filter(self, [g0, g1, g2]: [T; 3]) -> [T; 6] {
        let ([a2, b2, ..], [s0, sa, sb]) = (self.squares, self.scales);
        let [o1, o2] = both(Scalar::mul_add(a2, g2, g0) * sa, self.a * g1 * sa);
        let [o3, o4] = both(Scalar::mul_add(b2, g2, g0) * sb, self.b * g1 * sb);
        [g0 * s0, o1, o2, o3, o4, g2]
    }

    #[inline(always)]
    fn output(self, [m0, m1, m2, m3, m4, m5]: [T; 6]) -> [T; 4] {
        let ([a2, b2, ..], [a3, b3]) = (self.squares, self.cubes);
        let ([even_a, odd_a], [even_b, odd_b]) = (both(m1, m2), both(m3, m4));
        [
            m0 + even_a + even_b,
            Scalar::mul_add(self.a, odd_a, self.b * odd_b),
            Scalar::mul_add(a2, even_a, b2 * even_b),
            Scalar::mul_add(a3, odd_a, Scalar::mul_add(b3, odd_b, m5)),
        ]
    }

    #[inline(always)]
    fn spread(self, [y0, y1, y2, y3]: [T; 4]) -> [T; 6] {
        let ([a2, b2, ..], [a3, b3]) = (self.squares, self.cubes);
        let [o1, o2] = both(Scalar::mul_add(a2, y2, y0), Scalar::mul_add(a3, y3, self.a * y1));
        let [o3, o4] = both(Scalar::mul_add(b2, y2, y0), Scalar::mul_add(b3, y3, self.b * y1));
        [y0, o1, o2, o3, o4, y3]
    }

    #[inline(always)]
    fn gather(self, [u0, u1, u2, u3, u4, u5]: [T; 6]) -> [T; 3] {
        let ([a2, b2, ..], [s0, sa, sb]) = (self.squares, self.scales);
        let ([even_a, odd_a], [even_b, odd_b]) = (both(u1 * sa, u2 * sa), both(u3 * sb, u4 * sb));
        [
            Scalar::mul_add(u0, s0, even_a + even_b),
            Scalar::mul_add(self.a, odd_a, self.b * odd_b),
            Scalar::mul_add(a2, even_a, Scalar::mul_add(b2, even_b, u5)),
        ]
    }
}
