//! The OpenMetrics 1.0 form of the metrics; the library has only Prometheus' older text.

use std::fmt::Write;

use prometheus::proto::{LabelPair, MetricFamily, MetricType};

/// What a counter's samples end with, and its family does not.
const TOTAL: &str = "_total";

/// `families` as OpenMetrics text. They come from a registry, sorted by name, and have no timestamps of their own.
///
/// Families of a type that this program has not (summaries, untyped) are left out.
pub(super) fn encode(families: &[MetricFamily]) -> String {
    let mut page = Page(String::new());
    for family in families {
        match family.get_field_type() {
            MetricType::COUNTER => page.counters(family),
            MetricType::GAUGE => page.gauges(family),
            MetricType::HISTOGRAM => page.histograms(family),
            MetricType::SUMMARY | MetricType::UNTYPED => {}
        }
    }
    page.0.push_str("# EOF\n");
    page.0
}

struct Page(String);

impl Page {
    fn counters(&mut self, family: &MetricFamily) {
        let name = family.name().strip_suffix(TOTAL).unwrap_or(family.name());
        self.head(name, "counter", family.help());
        for metric in family.get_metric() {
            self.sample(name, TOTAL, metric.get_label(), None, metric.get_counter().get_value());
        }
    }

    fn gauges(&mut self, family: &MetricFamily) {
        self.head(family.name(), "gauge", family.help());
        for metric in family.get_metric() {
            self.sample(family.name(), "", metric.get_label(), None, metric.get_gauge().get_value());
        }
    }

    fn histograms(&mut self, family: &MetricFamily) {
        let name = family.name();
        self.head(name, "histogram", family.help());
        for metric in family.get_metric() {
            let (labels, histogram) = (metric.get_label(), metric.get_histogram());
            for bucket in histogram.get_bucket() {
                let bound = bucket.upper_bound();
                // The bucket without a bound is written below, whether or not the library has one.
                if bound.is_finite() {
                    self.sample(
                        name,
                        "_bucket",
                        labels,
                        Some(&number(bound)),
                        bucket.cumulative_count() as f64,
                    );
                }
            }
            let count = histogram.get_sample_count() as f64;
            self.sample(name, "_bucket", labels, Some("+Inf"), count);
            self.sample(name, "_count", labels, None, count);
            self.sample(name, "_sum", labels, None, histogram.get_sample_sum());
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        let _ = write!(self.0, "# HELP {name} ");
        self.escaped(help);
        self.0.push('\n');
    }

    fn sample(&mut self, name: &str, ending: &str, labels: &[LabelPair], bound: Option<&str>, value: f64) {
        self.0.push_str(name);
        self.0.push_str(ending);
        let pairs = labels.iter().map(|label| (label.name(), label.value()));
        let mut opening = '{';
        for (name, value) in pairs.chain(bound.map(|bound| ("le", bound))) {
            self.0.push(opening);
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.escaped(value);
            self.0.push('"');
            opening = ',';
        }
        if opening == ',' {
            self.0.push('}');
        }
        let _ = match value {
            value if value.is_finite() => writeln!(self.0, " {value}"),
            value if value.is_nan() => writeln!(self.0, " NaN"),
            value => writeln!(self.0, " {}", if value > 0.0 { "+Inf" } else { "-Inf" }),
        };
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                plain => self.0.push(plain),
            }
        }
    }
}

/// A bucket's bound in the canonical form, `1.0`. Bounds of a million and more would need an exponent; there are none.
fn number(bound: f64) -> String {
    format!("{bound:?}")
}
