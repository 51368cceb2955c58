//! The catalog from outside: steps made at random from it are right, and with one wrong letter they are refused with the
//! right name as advice.

use std::path::Path;

use exorun::catalog::{self, Cmdlet, Parameter, Required, Service, ValueKind};
use exorun::spec::{self, Checked};

/// Cmdlets of which a right step and two wrong ones are checked.
const CMDLETS: usize = 200;
/// Parameters given besides those that a cmdlet always needs.
const OTHERS_MAX: usize = 5;
const SEED: u64 = 20_260_301;

/// Xorshift with a multiplication at the end.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        // Seeds beside each other begin far apart, and none begins with 0.
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % count
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }

    fn letter(&mut self) -> char {
        char::from(b'a' + self.below(26) as u8)
    }
}

/// A value of the parameter as a person would write it after `NAME:`, from what Microsoft's documentation says of its
/// type.
fn value(chance: &mut Chance, parameter: Parameter) -> String {
    let words: Vec<&str> = parameter.words().collect();
    let mut texts: Vec<String> = if words.is_empty() {
        (1..=4)
            .map(|n| format!("{}{n}", chance.one(&["anna", "Sales Team ", "smtp:anna@contoso.com", "no"])))
            .collect()
    } else {
        words.iter().map(|word| format!("'{word}'")).collect()
    };
    chance.shuffle(&mut texts);
    let list = |texts: &[String]| format!("[{}]", texts.join(", "));
    let reference = chance.one(&["{env: SOME_VARIABLE}", "{file: /run/some-file}"]);
    let text = match parameter.kind() {
        ValueKind::Switch => chance.one(&["true", "false", "True"]),
        ValueKind::Boolean => chance.one(&["true", "false", "null"]),
        ValueKind::Integer => chance.one(&["0", "1", "30", "127"]),
        ValueKind::Number => chance.one(&["0.5", "7", "-1.25"]),
        ValueKind::Unlimited => chance.one(&["0", "5000", "Unlimited"]),
        ValueKind::Size => chance.one(&["50GB", "1.5 MB", "1048576"]),
        ValueKind::UnlimitedSize => chance.one(&["50GB", "36MB", "Unlimited"]),
        ValueKind::DateTime => {
            chance.one(&["2026-01-31", "2026-01-31T08:00:00", "'2026-07-31T08:00:00+09:00'"])
        }
        ValueKind::TimeSpan => chance.one(&["30.00:00:00", "08:00:00", "'12:30:00'"]),
        ValueKind::UnlimitedTimeSpan => chance.one(&["365.00:00:00", "Unlimited"]),
        ValueKind::Guid => {
            chance.one(&["11111111-2222-3333-4444-555555555555", "'{0000AAAA-00bb-00cc-00dd-000000eeeeee}'"])
        }
        ValueKind::String | ValueKind::Enum => return texts.remove(0),
        ValueKind::List => {
            let some = &texts[..texts.len().min(1 + chance.below(3))];
            let (one, other) = some.split_at(some.len() / 2);
            return match chance.below(3) {
                0 => some[0].clone(),
                1 if !one.is_empty() => format!("{{add: {}, remove: {}}}", list(one), list(other)),
                _ => list(some),
            };
        }
        ValueKind::Hashtable => "{Name: anna, Count: 3, Deep: {List: [a, b]}}",
        ValueKind::HashtableList => "[{Name: anna}, {Name: bob, On: true}]",
        ValueKind::Secret if parameter.type_name() == "PSCredential" => {
            return format!("{{user_name: anna@contoso.com, password: {reference}}}");
        }
        ValueKind::Secret => reference,
        ValueKind::Bytes => chance.one(&["{file: some/rules.xml}", "{base64: AAH/}", "null"]),
        ValueKind::Object => panic!("{} has no form in a file", parameter.name()),
    };
    text.to_owned()
}

fn has_a_form(parameter: &Parameter) -> bool {
    parameter.kind() != ValueKind::Object
}

/// Whether the cmdlet that is called, the classic one in place of a `Get-EXO*`, has the parameter.
fn is_sent(cmdlet: Cmdlet, parameter: &Parameter) -> bool {
    let classic = catalog::classic(cmdlet.as_str()).and_then(catalog::cmdlet);
    classic.is_none_or(|classic| classic.parameter(parameter.name()).is_some())
}

fn job(service: Service, cmdlet: &str, parameters: &[(String, String)]) -> String {
    let mut text = format!(
        "version: 1\nname: x\ntenant: contoso.onmicrosoft.com\nservice: {}\nauth: {{method: device}}\n\
         steps:\n  - name: a\n    cmdlet: {cmdlet}\n",
        service.as_str()
    );
    if !parameters.is_empty() {
        text.push_str("    parameters:\n");
    }
    for (name, value) in parameters {
        text.push_str(&format!("      {name}: {value}\n"));
    }
    text
}

fn check(text: &str) -> Checked {
    spec::check_text(Path::new("job.yaml"), text)
}

/// The name with one letter replaced, left out, put in or swapped with the next, so that `is_real` does not know it.
fn slip(chance: &mut Chance, name: &str, is_real: impl Fn(&str) -> bool) -> String {
    for _ in 0..1_000 {
        let mut letters: Vec<char> = name.chars().collect();
        let at = chance.below(letters.len());
        let is_letter = |at: usize| letters.get(at).is_some_and(char::is_ascii_alphabetic);
        match chance.below(4) {
            0 if is_letter(at) => letters[at] = chance.letter(),
            1 if is_letter(at) && letters.len() > 1 => drop(letters.remove(at)),
            2 if is_letter(at) => letters.insert(at, chance.letter()),
            3 if is_letter(at) && is_letter(at + 1) => letters.swap(at, at + 1),
            _ => continue,
        }
        let slip: String = letters.into_iter().collect();
        if !slip.eq_ignore_ascii_case(name) && !is_real(&slip) {
            return slip;
        }
    }
    panic!("every slip of {name} is a name");
}

/// The slip is refused, by `title`, and what is right is among the names that the message suggests.
fn assert_suggests(text: &str, title: &str, right: &str) {
    let checked = check(text);
    assert!(checked.problems.has_errors(), "{text}");
    let all = checked.problems.render_plain();
    let own = all.split("error: ").find(|problem| problem.starts_with(title));
    let own = own.unwrap_or_else(|| panic!("nothing says {title:?}:\n{all}"));
    let help = own.lines().find(|line| line.contains("did you mean")).unwrap_or_default();
    assert!(help.contains(&format!("`{right}`")), "{right} is not suggested:\n{own}");
}

#[test]
fn steps_drawn_from_the_catalog_are_right_and_with_a_slip_they_are_told_the_right_name() {
    let seed =
        std::env::var("EXORUN_TEST_SEED").map_or(SEED, |seed| seed.parse().expect("a seed is a number"));
    println!("EXORUN_TEST_SEED={seed}");
    let mut chance = Chance::new(seed);
    let mut all: Vec<Cmdlet> = catalog::cmdlets().collect();
    chance.shuffle(&mut all);
    let (mut checked, mut without_parameters, mut no_steps) = (0, 0, Vec::new());
    for cmdlet in all {
        if checked == CMDLETS {
            break;
        }
        let name = cmdlet.as_str();
        let needed: Vec<Parameter> =
            cmdlet.parameters().filter(|parameter| parameter.required() == Required::Always).collect();
        let services: Vec<Service> = cmdlet
            .services()
            .filter(|service| needed.iter().all(|parameter| parameter.available_in(*service)))
            .collect();
        assert!(!services.is_empty(), "no service has {name} with all that it needs");
        let service = chance.one(&services);
        let mut others: Vec<Parameter> = cmdlet
            .parameters()
            .filter(|parameter| parameter.required() != Required::Always && parameter.available_in(service))
            .filter(|parameter| has_a_form(parameter) && is_sent(cmdlet, parameter))
            .filter(|parameter| !matches!(parameter.name(), "Confirm" | "WhatIf"))
            .collect();
        chance.shuffle(&mut others);
        others.truncate(1 + chance.below(OTHERS_MAX));

        if name.contains("onnect-") || name == "Get-ConnectionInformation" {
            assert!(check(&job(service, name, &[])).problems.to_string().contains("is not a step"), "{name}");
            no_steps.push(name);
            continue;
        }
        if let Some(missing) = needed.iter().find(|parameter| !has_a_form(parameter)) {
            let given = [(missing.name().to_owned(), "x".to_owned())];
            let said = check(&job(service, name, &given)).problems.to_string();
            assert!(said.contains("is not supported by this version yet"), "{said}");
            no_steps.push(name);
            continue;
        }

        let mut given: Vec<(String, String)> = needed
            .iter()
            .chain(&others)
            .map(|parameter| (parameter.name().to_owned(), value(&mut chance, *parameter)))
            .collect();
        let text = job(service, name, &given);
        let right = check(&text);
        assert!(!right.problems.has_errors(), "{}\n{text}", right.problems);
        assert_eq!(right.jobs.len(), 1);

        let wrong = slip(&mut chance, name, |slip| catalog::cmdlet(slip).is_some());
        assert_suggests(&job(service, &wrong, &given), &format!("there is no cmdlet `{wrong}`"), name);

        if given.is_empty() {
            without_parameters += 1;
        } else {
            let at = chance.below(given.len());
            let right = given[at].0.clone();
            given[at].0 = slip(&mut chance, &right, |slip| cmdlet.parameter(slip).is_some());
            let title = format!("`{name}` has no parameter `{}`", given[at].0);
            assert_suggests(&job(service, name, &given), &title, &right);
        }
        checked += 1;
    }
    println!(
        "{checked} cmdlets checked, {without_parameters} of them without parameters; no steps: {no_steps:?}"
    );
    assert_eq!(checked, CMDLETS);
    assert!(without_parameters < CMDLETS / 10 && no_steps.len() < CMDLETS / 10);
}
