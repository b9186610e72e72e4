"""What no schema can tell of manifests: whether the documents fit each other, the settings and the cluster's habits.

Every rule is a function from the rendered documents to a list of findings, each one a sentence that names the document.
An empty list is the good answer.
"""
