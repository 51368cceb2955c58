//! Agreement with the libraries of others over random expressions. Every difference has a class with a reason; one
//! without a class fails.

mod dialects;
mod expressions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{answers, asked};
use crate::components;
use dialects::{DIALECTS, Dialect, Omission, Refusal, Translation};
use expressions::{Draws, Question};

/// How many expressions there are, unless the variable says so: the oracles are slow.
const EXPRESSIONS: usize = 6_000;
const EXPRESSIONS_VARIABLE: &str = "EXORUN_TEST_EXPRESSIONS";
const SEED: u64 = 20_261_129;

/// The class of those that do not differ.
const SAME: &str = "the same times";

/// Differences shown before the test gives up.
const SHOWN_MAX: usize = 40;

/// What one of them says: due times in seconds, or why there are none.
type Said = Result<Vec<i64>, String>;

fn said(answer: &Value) -> Said {
    match answer["due"].as_array() {
        Some(due) if due.is_empty() => Err("nothing is due".to_owned()),
        Some(due) => Ok(due
            .iter()
            .map(|at| {
                at.as_i64().unwrap_or_else(|| at.as_str().unwrap().parse::<Timestamp>().unwrap().as_second())
            })
            .collect()),
        None => Err(answer["error"].as_str().unwrap().to_owned()),
    }
}

/// What the program says, where an expression is written in its own dialect.
fn answered(questions: &[Question], dst: &Value) -> Vec<Said> {
    let questions: Vec<Value> = questions
        .iter()
        .map(|question| {
            json!({
                "cron": question.cron(), "time_zone": question.zone, "count": question.count, "dst": dst,
                "from": Timestamp::from_second(question.after).unwrap().to_string(),
            })
        })
        .collect();
    asked(&questions).iter().map(said).collect()
}

/// Whether the program has this second among the due times of a question.
fn is_due(question: &Question, at: i64) -> bool {
    let just_before = Question { after: at - 1, count: 1, ..question.clone() };
    answered(&[just_before], &json!({}))[0] == Ok(vec![at])
}

fn tool(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// What the oracles say, by their names; `None` if they are not installed.
fn oracles(questions: &[Question]) -> Option<Vec<BTreeMap<String, Said>>> {
    let python = tool("EXORUN_TEST_PYTHON")?;
    let modules = tool("EXORUN_TEST_NODE_MODULES")?;
    let has_both = Command::new(&python)
        .args(["-c", "import croniter, cronsim"])
        .status()
        .is_ok_and(|status| status.success());
    if !has_both || !modules.join("croner").is_dir() {
        return None;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schedules/oracles");
    let lines: String = questions.iter().map(|question| format!("{}\n", question.plain())).collect();
    let mut of_python = Command::new(python);
    of_python.arg(here.join("ask.py"));
    let mut of_node = Command::new("node");
    of_node.arg(here.join("ask.mjs"));
    let [python, node] = std::thread::scope(|scope| {
        [of_python, of_node]
            .map(|command| scope.spawn(|| answers(command, lines.as_bytes())))
            .map(|thread| thread.join().unwrap())
    });
    assert_eq!((python.len(), node.len()), (questions.len(), questions.len()));
    let of_both = |(python, node): (&Value, &Value)| {
        let all = [python, node].map(|answer| answer.as_object().unwrap());
        all.into_iter().flatten().map(|(name, answer)| (name.clone(), said(answer))).collect()
    };
    Some(python.iter().zip(&node).map(of_both).collect())
}

const TEST: &str = "three_libraries_agree_but_for_differences_that_have_a_reason";

#[test]
fn three_libraries_agree_but_for_differences_that_have_a_reason() {
    if !components::has("node", TEST) {
        return;
    }
    let count = std::env::var(EXPRESSIONS_VARIABLE).map_or(EXPRESSIONS, |count| count.parse().unwrap());
    let (mut draws, changes) = (Draws(SEED), expressions::changes());
    let questions: Vec<Question> = (0..count).map(|_| expressions::question(&mut draws, &changes)).collect();
    let Some(theirs) = oracles(&questions) else {
        return components::skip(TEST, "croniter, cronsim and croner are not installed");
    };
    let ours = answered(&questions, &json!({}));
    let (mut classes, mut unnamed) = (BTreeMap::<(&str, &str), usize>::new(), Vec::new());
    for Dialect { name: oracle, refusals, translations, omissions } in DIALECTS.iter().copied() {
        let mut left: Vec<usize> = (0..count)
            .filter(|index| match (&ours[*index], &theirs[*index][oracle]) {
                (Ok(ours), Ok(theirs)) => ours != theirs,
                // That a day never comes is said in many ways.
                (Err(_), Err(_)) => false,
                _ => true,
            })
            .collect();
        *classes.entry((oracle, SAME)).or_default() += count - left.len();
        left.retain(|index| {
            let refused = theirs[*index][oracle].is_err();
            let why = refusals.iter().find(|refusal| refused && (refusal.meets)(&questions[*index]));
            if let Some(Refusal { class, .. }) = why {
                *classes.entry((oracle, class)).or_default() += 1;
            }
            why.is_none()
        });
        for Translation { class, rewrite, dst } in translations {
            let translated: Vec<Question> = left.iter().map(|index| rewrite(&questions[*index])).collect();
            let mut answers = answered(&translated, &dst()).into_iter();
            left.retain(|index| {
                let named = answers.next().unwrap() == theirs[*index][oracle];
                *classes.entry((oracle, class)).or_default() += usize::from(named);
                !named
            });
        }
        for Omission { class, meets, rewrite } in omissions {
            left.retain(|index| {
                let question = &questions[*index];
                let Ok(theirs) = &theirs[*index][oracle] else { return true };
                let named = meets(question) && theirs.iter().all(|at| is_due(&rewrite(question), *at));
                *classes.entry((oracle, class)).or_default() += usize::from(named);
                !named
            });
        }
        unnamed.extend(left.into_iter().map(|index| (oracle, index)));
    }
    for ((oracle, class), found) in &classes {
        println!("{oracle:9}{found:8}  {class}");
    }
    let shown: Vec<String> = unnamed
        .iter()
        .take(SHOWN_MAX)
        .map(|(oracle, index)| {
            let question = &questions[*index];
            format!(
                "{oracle}: {} \n  ours   {:?}\n  theirs {:?}",
                question.plain(),
                ours[*index],
                theirs[*index][*oracle]
            )
        })
        .collect();
    assert!(unnamed.is_empty(), "{} differences have no name:\n{}", unnamed.len(), shown.join("\n"));
}
