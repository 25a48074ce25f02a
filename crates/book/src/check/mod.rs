//! Reads the built pages again: links, anchors, ids, requests to other machines, and whether each formula is there.

pub mod html;

use crate::catalog::Catalog;
use crate::project::files;
use anyhow::{Context, Result};
use html::tags;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// What is wrong, each with page and line.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many links were followed.
    pub links: usize,
    /// How many pages were read.
    pub pages: usize,
    /// The faults.
    pub faults: Vec<String>,
}

/// Attributes whose address a browser fetches by itself or a reader follows.
const ADDRESSES: [&str; 8] =
    ["href", "src", "data", "poster", "action", "formaction", "srcset", "xlink:href"];

/// Checks all pages below `root`. Pages below `api/`, rustdoc's own, are only linked to.
///
/// # Errors
/// If a page can't be read.
pub fn pages(root: &Path) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut texts = BTreeMap::new();
    for file in files(root) {
        let name = file.strip_prefix(root)?.to_path_buf();
        if name.starts_with("api") {
            continue;
        }
        let read = || std::fs::read_to_string(&file).with_context(|| file.display().to_string());
        match file.extension().and_then(|e| e.to_str()) {
            Some("html") => drop(texts.insert(name, read()?)),
            Some("css") => style(&name.to_string_lossy(), &read()?, &mut findings.faults),
            _ => {}
        }
    }
    let mut ids: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for (page, text) in &texts {
        let seen = ids.entry(page.clone()).or_default();
        for tag in tags(text) {
            let Some(id) = tag.get("id") else { continue };
            if !seen.insert(id.to_owned()) {
                findings.faults.push(format!(
                    "{}:{}: the id `{id}` is there twice",
                    page.display(),
                    tag.line
                ));
            }
        }
    }
    findings.pages = texts.len();
    for (page, text) in &texts {
        for tag in tags(text) {
            let at = format!("{}:{}", page.display(), tag.line);
            for (name, value) in &tag.attributes {
                if name.eq_ignore_ascii_case("style") {
                    style(&at, value, &mut findings.faults);
                }
                if !ADDRESSES.iter().any(|a| name.eq_ignore_ascii_case(a)) || tag.name == "base" {
                    continue;
                }
                findings.links += 1;
                if let Err(fault) = address(root, page, value, &mut ids) {
                    findings.faults.push(format!("{at}: <{} {name}=\"{value}\">: {fault}", tag.name));
                }
            }
        }
    }
    Ok(findings)
}

/// A style sheet must not fetch from elsewhere.
fn style(at: &str, css: &str, faults: &mut Vec<String>) {
    let css = css.to_ascii_lowercase();
    for opening in ["url(", "@import"] {
        for (start, _) in css.match_indices(opening) {
            let target = css[start + opening.len()..].trim_start_matches(['"', '\'', ' ', '(']);
            if foreign(target) {
                let shown: String = target.chars().take_while(|c| !")\"' ;".contains(*c)).collect();
                faults.push(format!("{at}: a style asks another machine: {shown}"));
            }
        }
    }
}

/// Whether an address leaves this machine.
fn foreign(address: &str) -> bool {
    let address = address.trim().to_ascii_lowercase();
    ["http:", "https:", "//", "ftp:", "ws:", "wss:"].iter().any(|scheme| address.starts_with(scheme))
}

fn address(
    root: &Path,
    page: &Path,
    value: &str,
    ids: &mut BTreeMap<PathBuf, BTreeSet<String>>,
) -> Result<(), String> {
    if foreign(value) {
        return Err("asks another machine; the book must work unplugged".into());
    }
    if value.starts_with("data:") {
        return Ok(());
    }
    // A colon before any slash ends a scheme: `javascript:`, `mailto:`.
    if value.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':')) {
        return Err("is no address inside the book".into());
    }
    let (path, anchor) = value.split_once('#').map_or((value, None), |(p, a)| (p, Some(a)));
    let path = path.split('?').next().unwrap_or("");
    // The page for unknown addresses is served at any depth: its links start at the root.
    let base =
        if page == Path::new("404.html") { Path::new("") } else { page.parent().unwrap_or(Path::new("")) };
    let target = if path.is_empty() {
        page.to_path_buf()
    } else if let Some(absolute) = path.strip_prefix('/') {
        normal(Path::new(absolute)).ok_or("leaves the book")?
    } else {
        normal(&base.join(decoded(path))).ok_or("leaves the book")?
    };
    let on_disk = root.join(&target);
    let target = if on_disk.is_dir() { target.join("index.html") } else { target };
    if !root.join(&target).is_file() {
        return Err("there is no such page or file".into());
    }
    let Some(anchor) = anchor.filter(|a| !a.is_empty()) else { return Ok(()) };
    if !ids.contains_key(&target) && target.extension().is_some_and(|e| e == "html") {
        let text = std::fs::read_to_string(root.join(&target)).map_err(|e| e.to_string())?;
        let there = tags(&text).iter().filter_map(|t| t.get("id")).map(String::from).collect();
        ids.insert(target.clone(), there);
    }
    match ids.get(&target) {
        Some(there) if !there.contains(&decoded(anchor)) => Err("there is no such anchor".into()),
        _ => Ok(()),
    }
}

/// A path without `.` and `..`; none where it leaves the root.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

/// An address with its percent signs and entities resolved, as far as ours have any.
fn decoded(text: &str) -> String {
    let text = text.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"");
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|d| std::str::from_utf8(d).ok());
        match (byte, digits.and_then(|d| u8::from_str_radix(d, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Every formula must have its block on its chapter's page, and every property must show what it should.
///
/// # Errors
/// If a page can't be read.
pub fn formulas(root: &Path, catalog: &Catalog) -> Result<Vec<String>> {
    let mut faults = blocks(root, catalog)?;
    faults.extend(outcomes(catalog));
    Ok(faults)
}

/// Every formula must have its block on its chapter's page.
fn blocks(root: &Path, catalog: &Catalog) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for formula in catalog.formulas() {
        let (id, chapter) = (formula.id, formula.chapter);
        let page = root.join(format!("{chapter}.html"));
        let Ok(text) = std::fs::read_to_string(&page) else {
            faults.push(format!("formula `{id}`: its chapter `{chapter}` is not in the book"));
            continue;
        };
        let anchor = format!("eq-{id}");
        if !tags(&text).iter().any(|t| t.get("id") == Some(&anchor)) {
            faults.push(format!("formula `{id}`: {chapter}.md has no {{{{#formula {id}}}}}"));
        }
    }
    Ok(faults)
}

/// Every property must show what it should. (The first time, this runs all of them.)
fn outcomes(catalog: &Catalog) -> Vec<String> {
    let mut faults = Vec::new();
    for property in catalog.all_properties() {
        match catalog.evidence(property) {
            Some(evidence) if evidence.passed() => {}
            Some(evidence) => faults.push(format!("property `{}`: {}", property.id, evidence.outcome.word())),
            None => faults.push(format!("property `{}` could not be run", property.id)),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of a small site.
    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        pages(folder.path()).unwrap().faults
    }

    #[test]
    fn a_sound_site_has_no_faults() {
        let sound = [
            (
                "a.html",
                "<a href=\"b/c.html#x%20y\">c</a><a href=\"#top\" id=\"top\">t</a><img src=\"data:image/png;base64,AA\">",
            ),
            (
                "b/c.html",
                "<p id=\"x y\"></p><a href=\"../a.html\">a</a><a href=\"../b/\">dir</a><link href=\"../s.css\">",
            ),
            ("b/index.html", ""),
            ("s.css", "@font-face { src: url(f.woff2) }"),
            ("404.html", "<base href=\"/\"><a href=\"a.html\">a</a>"),
            ("api/k/fn.f.html", "<link href=\"https://elsewhere.example/x.css\"><a id=\"f\"></a>"),
            ("z.html", "<a href=\"api/k/fn.f.html#f\">f</a>"),
        ];
        assert_eq!(faults(&sound), [] as [String; 0]);
    }

    #[test]
    fn each_kind_of_fault_is_found_with_page_and_line() {
        let cases = [
            (
                "<p>\n<a href=\"gone.html\">x</a>",
                "a.html:2: <a href=\"gone.html\">: there is no such page or file",
            ),
            ("<a href=\"#gone\">x</a>", "a.html:1: <a href=\"#gone\">: there is no such anchor"),
            ("<p id=\"x\"></p>\n\n<p id=\"x\"></p>", "a.html:3: the id `x` is there twice"),
            ("<script src=\"https://cdn.example/x.js\"></script>", "asks another machine"),
            ("<img src=\"//cdn.example/x.png\">", "asks another machine"),
            ("<link rel=\"stylesheet\" href=\"http://cdn.example/x.css\">", "asks another machine"),
            ("<a href=\"https://example.org\">x</a>", "asks another machine"),
            ("<p style=\"background: url('https://cdn.example/x.png')\">", "a style asks another machine"),
            ("<a href=\"../../etc/passwd\">x</a>", "leaves the book"),
            ("<a href=\"javascript:alert(1)\">x</a>", "is no address inside the book"),
        ];
        for (html, expected) in cases {
            let found = faults(&[("a.html", html)]);
            assert!(found.len() == 1 && found[0].contains(expected), "{html}: {found:?}");
        }
        let found = faults(&[("s.css", "@import \"https://fonts.example/x\";")]);
        assert!(found[0].contains("s.css: a style asks another machine"), "{found:?}");
    }

    #[test]
    fn a_formula_without_its_block_is_found() {
        let catalog = Catalog::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert!(blocks(folder.path(), &catalog).unwrap()[0].contains("is not in the book"));
        let page = folder.path().join("activations.html");
        std::fs::write(&page, "<div id=\"eq-sigmoid\"></div>").unwrap();
        let found = blocks(folder.path(), &catalog).unwrap();
        assert!(found.iter().any(|f| f.contains("{{#formula prelu}}")), "{found:?}");
        assert!(!found.iter().any(|f| f.contains("{{#formula sigmoid}}")), "{found:?}");
    }
}
