"""Files made to cost memory or time, or to lose the report, and what each costs."""
