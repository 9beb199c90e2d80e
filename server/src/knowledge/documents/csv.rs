//! A table of questions and answers: each row a heading with its text.

use csv::{ReaderBuilder, StringRecord};

use super::{Block, Kind, Unreadable};

/// What the columns are called in the shop's languages.
const QUESTION: [&str; 8] = ["question", "questions", "pregunta", "pergunta", "frage", "domanda", "vraag", "q"];
const ANSWER: [&str; 9] =
    ["answer", "answers", "respuesta", "resposta", "antwort", "réponse", "reponse", "risposta", "a"];

/// The columns `question` and `answer`, or the first two.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, Unreadable> {
    let broken = |why: String| Unreadable::Broken(Kind::Csv, why);
    let delimiter = delimiter(text);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut columns = None;
    let mut blocks = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|why| broken(why.to_string()))?;
        let Some((question, answer)) = columns else {
            let named = named(&row);
            columns = Some(named.unwrap_or((0, 1)));
            if named.is_none() {
                blocks.extend(pair(&row, 0, 1));
            }
            continue;
        };
        blocks.extend(pair(&row, question, answer));
    }
    if blocks.is_empty() {
        return Err(broken("expected two columns, the question and its answer".into()));
    }
    Ok(blocks)
}

fn pair(row: &StringRecord, question: usize, answer: usize) -> Vec<Block> {
    let cell = |at: usize| row.get(at).map(str::trim).filter(|text| !text.is_empty());
    match (cell(question), cell(answer)) {
        (Some(question), Some(answer)) => {
            vec![Block::Heading { level: 1, text: question.into() }, Block::Text(answer.into())]
        }
        _ => Vec::new(),
    }
}

fn named(row: &StringRecord) -> Option<(usize, usize)> {
    let find = |names: &[&str]| row.iter().position(|cell| names.contains(&cell.trim().to_lowercase().as_str()));
    Some((find(&QUESTION)?, find(&ANSWER)?))
}

/// The one that the first line has most of, outside of quotation marks.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let outside: String = line.split('"').step_by(2).collect();
    let count = |mark: &u8| outside.bytes().filter(|byte| byte == mark).count();
    // Of those that are as many, the last counts: the usual one.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
