sequences --gap x
