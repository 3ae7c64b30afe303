# Each target is one call of a Python command that also works without make: python tools/course.py TARGET
PYTHON ?= python3
TARGETS = help lab test browser nbval processors notebooks movie slides lecture handouts site bench classroom lint constraints clean

.DEFAULT_GOAL := help
.PHONY: $(TARGETS)
$(TARGETS):
	@$(PYTHON) tools/course.py $@ $(filter-out PYTHON=%,$(MAKEOVERRIDES))
