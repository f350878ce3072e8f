# Every target is one verb of bootstrap.py, so that all of this works where make is absent.
PYTHON ?= python3

.PHONY: help setup demo test check bench crash stop machine neighbours map lock
help setup demo test check bench crash stop machine neighbours map lock:
	@$(PYTHON) bootstrap.py $@ $(ARGS)
