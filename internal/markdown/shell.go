package markdown

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Command is one simple command of a shell script.
type Command struct {
	Text     string   // source text of the command
	Words    []string // words without quotes; $ is not expanded
	Output   string   // file to which the output is redirected
	Operator string   // the operator that follows: | || && & ; or none
	Line     int      // the line number in the script, from 1
}

// Commands splits a script of simple commands. It returns an error for a script
// that a reader cannot paste into bash and zsh alike: both expand unquoted * ? [ {
// and ~, zsh also expands ^, # and a leading =, takes # for a comment in scripts
// only, and both expand ! outside of single quotes.
func Commands(script string) ([]Command, error) {
	s := scanner{rest: script, line: 1}
	for s.rest != "" {
		if err := s.next(); err != nil {
			return nil, fmt.Errorf("line %d: %w", s.line, err)
		}
	}
	s.endCommand("")
	return s.commands, nil
}

type scanner struct {
	rest     string
	line     int
	commands []Command
	current  Command
	word     strings.Builder
	inWord   bool
	redirect bool // the next word names a file
}

// next reads one character, quoted string or substitution.
func (s *scanner) next() error {
	r, size := utf8.DecodeRuneInString(s.rest)
	switch {
	case r == '\n':
		s.take(1, false)
		s.endCommand("")
		s.line++
	case r == ' ' || r == '\t':
		s.take(1, true)
		s.endWord()
	case strings.HasPrefix(s.rest, "\\\n"):
		s.take(2, true)
		s.endWord()
		s.line++
	case r == '\\':
		if len(s.rest) < 2 {
			return fmt.Errorf("the last character is a backslash")
		}
		s.addWord(s.rest[1:2])
		s.take(2, true)
	case r == '\'':
		return s.quoted()
	case r == '"':
		return s.doubleQuoted()
	case strings.HasPrefix(s.rest, "$("):
		return s.substitution()
	case strings.ContainsRune("|&;", r):
		operator := s.rest[:1]
		if strings.HasPrefix(s.rest, "||") || strings.HasPrefix(s.rest, "&&") {
			operator = s.rest[:2]
		}
		s.take(len(operator), false)
		s.endCommand(operator)
	case r == '>':
		s.endWord()
		s.take(1, true)
		s.redirect = true
	case strings.ContainsRune("*?[]{}!#^~`<()", r), r == '=' && !s.inWord:
		return fmt.Errorf("unquoted %q", r)
	default:
		s.addWord(s.rest[:size])
		s.take(size, true)
	}
	return nil
}

func (s *scanner) quoted() error {
	length := strings.IndexByte(s.rest[1:], '\'')
	if length < 0 {
		return fmt.Errorf("a single quote is not closed")
	}
	s.addWord(s.rest[1 : 1+length])
	s.line += strings.Count(s.rest[:length], "\n")
	s.take(length+2, true)
	return nil
}

func (s *scanner) doubleQuoted() error {
	s.take(1, true)
	s.addWord("")
	for s.rest != "" {
		switch r, size := utf8.DecodeRuneInString(s.rest); {
		case r == '"':
			s.take(1, true)
			return nil
		case r == '!' || r == '`':
			return fmt.Errorf("%q in double quotes", r)
		case strings.HasPrefix(s.rest, "$("):
			if err := s.substitution(); err != nil {
				return err
			}
		case r == '\\' && len(s.rest) > 1 && strings.ContainsRune("\"\\$`", rune(s.rest[1])):
			s.addWord(s.rest[1:2])
			s.take(2, true)
		default:
			if r == '\n' {
				s.line++
			}
			s.addWord(s.rest[:size])
			s.take(size, true)
		}
	}
	return fmt.Errorf("a double quote is not closed")
}

// substitution adds $(…) to the word, unexpanded.
func (s *scanner) substitution() error {
	length := strings.IndexByte(s.rest, ')')
	if length < 0 {
		return fmt.Errorf("$( is not closed")
	}
	if _, err := Commands(s.rest[2:length]); err != nil {
		return err
	}
	s.addWord(s.rest[:length+1])
	s.take(length+1, true)
	return nil
}

// take consumes n bytes, and adds them to the text of the command if part is set.
func (s *scanner) take(n int, part bool) {
	if part {
		s.current.Text += s.rest[:n]
	}
	s.rest = s.rest[n:]
}

func (s *scanner) addWord(text string) {
	s.word.WriteString(text)
	s.inWord = true
	if s.current.Line == 0 {
		s.current.Line = s.line
	}
}

func (s *scanner) endWord() {
	switch {
	case !s.inWord:
		return
	case s.redirect:
		s.current.Output = s.word.String()
	default:
		s.current.Words = append(s.current.Words, s.word.String())
	}
	s.word.Reset()
	s.inWord, s.redirect = false, false
}

func (s *scanner) endCommand(operator string) {
	s.endWord()
	if len(s.current.Words) > 0 {
		s.current.Text, s.current.Operator = strings.TrimSpace(s.current.Text), operator
		s.commands = append(s.commands, s.current)
	}
	s.current = Command{}
}
