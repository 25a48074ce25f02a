//! An image's size on the command line.

/// Height and width, as in 224x224.
pub(super) fn size(text: &str) -> Result<[usize; 2], String> {
    let (height, width) = text.split_once('x').ok_or("two numbers with an x between them, as in 224x224")?;
    let number = |text: &str| text.parse().map_err(|e| format!("`{text}`: {e}"));
    Ok([number(height)?, number(width)?])
}
