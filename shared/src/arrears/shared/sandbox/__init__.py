"""The sandbox borrower and court, and the seeded stories they tell.

`story` is one synthetic loan, `facts` what the bank says of it, `answers` what borrower, post,
mediator, court and bailiff say when they are asked. All pure: no clock, no chance, no state.
"""
