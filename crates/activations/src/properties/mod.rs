pub fn properties() -> Vec<gradus_formula::Property> {
    vec![]
}
