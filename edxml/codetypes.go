package edxml

// Int returns the number and whether the text is one.
func (t BusinessDocType) Int() (int, bool) { return Number(t).Int() }

// Name returns what the code means; the second result is false for a code that
// [BusinessDocTypes] lacks.
func (t BusinessDocType) Name() (Text, bool) { return BusinessDocTypes.Name(Number(t)) }

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (t BusinessDocType) MarshalJSON() ([]byte, error) { return Number(t).MarshalJSON() }

// UnmarshalJSON takes a JSON number or a string.
func (t *BusinessDocType) UnmarshalJSON(b []byte) error { return (*Number)(t).UnmarshalJSON(b) }

// Int returns the number and whether the text is one.
func (p Priority) Int() (int, bool) { return Number(p).Int() }

// Name returns what the code means; the second result is false for a code that
// [Priorities] lacks.
func (p Priority) Name() (Text, bool) { return Priorities.Name(Number(p)) }

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (p Priority) MarshalJSON() ([]byte, error) { return Number(p).MarshalJSON() }

// UnmarshalJSON takes a JSON number or a string.
func (p *Priority) UnmarshalJSON(b []byte) error { return (*Number)(p).UnmarshalJSON(b) }

// Int returns the number and whether the text is one.
func (s SteeringType) Int() (int, bool) { return Number(s).Int() }

// Name returns what the code means; the second result is false for a code that
// [SteeringTypes] lacks.
func (s SteeringType) Name() (Text, bool) { return SteeringTypes.Name(Number(s)) }

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (s SteeringType) MarshalJSON() ([]byte, error) { return Number(s).MarshalJSON() }

// UnmarshalJSON takes a JSON number or a string.
func (s *SteeringType) UnmarshalJSON(b []byte) error { return (*Number)(s).UnmarshalJSON(b) }

// Int returns the number and whether the text is one.
func (r ReceiverType) Int() (int, bool) { return Number(r).Int() }

// Name returns what the code means; the second result is false for a code that
// [ReceiverTypes] lacks.
func (r ReceiverType) Name() (Text, bool) { return ReceiverTypes.Name(Number(r)) }

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (r ReceiverType) MarshalJSON() ([]byte, error) { return Number(r).MarshalJSON() }

// UnmarshalJSON takes a JSON number or a string.
func (r *ReceiverType) UnmarshalJSON(b []byte) error { return (*Number)(r).UnmarshalJSON(b) }

// Int returns the number and whether the text is one.
func (p Paper) Int() (int, bool) { return Number(p).Int() }

// Name returns what the code means; the second result is false for a code that
// [Papers] lacks.
func (p Paper) Name() (Text, bool) { return Papers.Name(Number(p)) }

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (p Paper) MarshalJSON() ([]byte, error) { return Number(p).MarshalJSON() }

// UnmarshalJSON takes a JSON number or a string.
func (p *Paper) UnmarshalJSON(b []byte) error { return (*Number)(p).UnmarshalJSON(b) }
