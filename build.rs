//! Turns `src/catalog/cmdlets.tsv` into static tables, so that nothing is parsed when the program starts.
//!
//! Every text is kept once in one blob; a row of a table holds numbers only, so the tables need no relocation
//! when the program is loaded and cost a few bytes a parameter. And finds out which commit is built.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = "src/catalog/cmdlets.tsv";
const COLUMNS: [&str; 9] = [
    "cmdlet",
    "services",
    "parameter",
    "type",
    "required",
    "parameter_services",
    "position",
    "aliases",
    "values",
];

/// Texts in the order they were first seen, each once.
#[derive(Default)]
struct Texts {
    numbers: BTreeMap<String, u16>,
    blob: String,
    ends: Vec<u32>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u16 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number =
            u16::try_from(self.ends.len()).expect("the catalog has fewer than 65,536 different texts");
        self.blob.push_str(text);
        self.ends.push(u32::try_from(self.blob.len()).expect("the catalog is smaller than 4 GiB"));
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

struct Parameter<'a> {
    name: &'a str,
    type_name: &'a str,
    required: u8,
    services: u8,
    aliases: &'a str,
    values: &'a str,
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rustc-env=EXORUN_REVISION={}", revision());
    let source = std::fs::read_to_string(SOURCE).unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let mut lines = source.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    assert_eq!(header, COLUMNS, "{SOURCE}: the first line names other columns");

    // Ordered by the name in lower case: that is the order a look-up searches in.
    let mut cmdlets: BTreeMap<String, (&str, u8, BTreeMap<String, Parameter<'_>>)> = BTreeMap::new();
    for (index, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, on, parameter, type_name, required, parameter_on, _position, aliases, values] = fields[..]
        else {
            panic!("{SOURCE}:{}: a line has nine columns", index + 2);
        };
        let entry = cmdlets
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| (name, services(on, index), BTreeMap::new()));
        if parameter.is_empty() {
            continue; // a cmdlet without parameters
        }
        let row = Parameter {
            name: parameter,
            type_name,
            required: match required {
                "" => 0,
                "in-some-sets" => 1,
                "always" => 2,
                other => panic!("{SOURCE}:{}: required is `{other}`", index + 2),
            },
            services: services(parameter_on, index),
            aliases,
            values,
        };
        let twice = entry.2.insert(parameter.to_ascii_lowercase(), row);
        assert!(twice.is_none(), "{SOURCE}:{}: `{name}` has `{parameter}` twice", index + 2);
    }

    let mut texts = Texts::default();
    texts.number("");
    let (mut cmdlet_rows, mut parameter_rows) = (String::new(), String::new());
    let mut first = 0u16;
    for (name, on, parameters) in cmdlets.values() {
        let count = u16::try_from(parameters.len()).expect("a cmdlet has fewer than 65,536 parameters");
        writeln!(cmdlet_rows, "C({}, {on}, {first}, {count}),", texts.number(name))
            .expect("a String takes all");
        first = first.checked_add(count).expect("the catalog has fewer than 65,536 parameters");
        for row in parameters.values() {
            writeln!(
                parameter_rows,
                "P({}, {}, {}, {}, {}, {}),",
                texts.number(row.name),
                texts.number(row.type_name),
                texts.number(row.aliases),
                texts.number(row.values),
                row.required,
                row.services,
            )
            .expect("a String takes all");
        }
    }
    let mut tables = String::new();
    writeln!(tables, "pub(super) static CMDLETS: [C; {}] = [\n{cmdlet_rows}];", cmdlets.len())
        .expect("a String takes all");
    writeln!(tables, "pub(super) static PARAMETERS: [P; {first}] = [\n{parameter_rows}];")
        .expect("a String takes all");
    writeln!(tables, "pub(super) static ENDS: [u32; {}] = {:?};", texts.ends.len(), texts.ends)
        .expect("a String takes all");
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let folder = Path::new(&folder);
    std::fs::write(folder.join("catalog.rs"), tables).expect("OUT_DIR can be written");
    std::fs::write(folder.join("catalog.txt"), texts.blob).expect("OUT_DIR can be written");
}

/// The services of a row as bits: Exchange Online, Security & Compliance, Exchange Online Protection.
fn services(list: &str, index: usize) -> u8 {
    list.split(',')
        .map(|service| match service {
            "exo" => 1,
            "scc" => 2,
            "eop" => 4,
            "" => 0,
            other => panic!("{SOURCE}:{}: unknown service `{other}`", index + 2),
        })
        .fold(0, |bits, bit| bits | bit)
}

/// The commit that is built, for `exorun --version` and the metrics: said by whoever builds without a repository (an
/// image), asked of git where something is built to be used. `unknown` in between; in a build for development the
/// answer would only make every commit a reason to build again.
fn revision() -> String {
    println!("cargo::rerun-if-env-changed=EXORUN_REVISION");
    if let Ok(given) = std::env::var("EXORUN_REVISION") {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
        assert!(
            !given.is_empty() && given.chars().all(is_plain),
            "EXORUN_REVISION is `{given}`: a commit has letters, digits and -._+ only"
        );
        return given;
    }
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        return "development".to_owned();
    }
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    // A crate that was unpacked below somebody else's repository is not that repository's commit.
    let is_ours = git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty());
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| is_ours) else {
        return "unknown".to_owned();
    };
    // HEAD moves with a checkout, its log with a commit.
    for path in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", path]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let built_from = ["Cargo.toml", "Cargo.lock", "build.rs", "src"];
    for path in built_from {
        println!("cargo::rerun-if-changed={path}");
    }
    let changes = git(&[&["status", "--porcelain", "--"][..], &built_from[..]].concat());
    if changes.is_some_and(|changes| changes.is_empty()) { commit } else { format!("{commit}-changed") }
}
