//! JUnit XML, as build servers read it.

use std::io;

use quick_junit::{NonSuccessKind, Property, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::{Outcome, Report, Row};

pub(super) fn render(report: &Report) -> io::Result<String> {
    let mut suite = TestSuite::new(report.subject.as_str());
    suite.set_timestamp(report.date);
    suite.add_property(Property::new("date", report.date()));
    suite.add_test_cases(report.rows.iter().map(case));
    let mut xml = Xml::new(report.title.as_str());
    xml.add_test_suite(suite);
    xml.to_string().map_err(io::Error::other)
}

fn case(row: &Row) -> TestCase {
    let mut status = match row.verdict.outcome {
        Outcome::Good | Outcome::Noted => TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Bad => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    // A success has neither message nor description.
    status.set_type(row.verdict.word);
    status.set_message(row.consequence.as_str());
    status.set_description(row.evidence.as_str());
    let mut case = TestCase::new(format!("{} {}", row.id, row.title), status);
    case.set_classname(row.id.as_str());
    case.add_property(Property::new("verdict", row.verdict.word));
    if row.verdict.outcome == Outcome::Noted {
        case.set_system_out(format!("{}\n{}", row.evidence, row.consequence));
    }
    case
}
