//! The chain rule on a graph: the one formula that [`Var::backward`](crate::Var::backward) computes.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "backprop-chain-rule",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The chain rule on a graph",
    latex: r"\bar v = \sum_{w \,\in\, \text{users of } v} \left(\frac{\partial w}{\partial v}\right)^{\!\top} \bar w, \qquad
        \bar L = 1",
    unicode: "v̄ = Σ over the users w of v: (∂w/∂v)ᵀ·w̄, where v̄ is ∂L/∂v and L̄ = 1",
    symbols: &[
        Symbol {
            latex: r"\bar v",
            code: "dy",
            meaning: "the gradient ∂L/∂v of the result in a node, also called its cotangent",
            shape: "as v",
            unit: "that of L per that of v",
        },
        Symbol {
            latex: "w",
            code: "var",
            meaning: "a node that was computed from v by one operation",
            shape: "any",
            unit: "any",
        },
        Symbol {
            latex: r"\partial w / \partial v",
            code: "vjp",
            meaning: "the Jacobian of that operation: never formed, only its transpose applied",
            shape: "[elements of w, elements of v]",
            unit: "that of w per that of v",
        },
        Symbol { latex: "L", code: "loss", meaning: "the result, one number", shape: "[]", unit: "any" },
    ],
    source: "Linnainmaa 1970; Rumelhart, Hinton & Williams 1986; Griewank & Walther 2008, ch. 3",
    item: item!(struct Var),
    chapter: "backpropagation",
    printed: None,
};
