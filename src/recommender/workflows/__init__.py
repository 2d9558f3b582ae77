"""Running the library step by step: run folders, the stages of training, and the flows that call them."""
