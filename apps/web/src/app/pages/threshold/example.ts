/** Labelled pairs for the example of the Threshold page; written for Embedmill. */

/** CSV with a header: two texts and `same` or `different`. */
export const EXAMPLE_PAIRS = `a,b,same
Apple phone battery drains fast,iPhone battery life is too short,same
The parcel came two weeks late,Delivery took far longer than promised,same
Zipper broke on the first day,The zip was defective after one use,same
Screen is scratched,There are scratches on the display,same
Too small for my feet,The shoes run one size short,same
Coffee tastes burnt,The coffee is bitter and over-roasted,same
Great value for the price,Cheap and very good for what it costs,same
Support never answered my mail,No reply from customer service,same
Sound is clear and loud,Excellent volume and crisp audio,same
Fabric feels soft,The material is pleasant on the skin,same
The app crashes when I log in,Signing in makes the application close,same
Lid does not close,The cover cannot be shut properly,same
Battery lasts two days,The charge holds for forty-eight hours,same
Instructions are hard to follow,The manual is confusing,same
It smells of plastic,There is a strong chemical odour,same
Paint peels off after a month,The coating flakes away within weeks,same
Apple phone battery drains fast,Apple juice tastes fresh,different
The parcel came two weeks late,The box was heavier than stated,different
Zipper broke on the first day,Buttons are made of wood,different
Screen is scratched,Screen is bright and sharp,different
Too small for my feet,Too loud for a small room,different
Coffee tastes burnt,The tea is mild,different
Great value for the price,Far too expensive,different
Support never answered my mail,Support was friendly and quick,different
Sound is clear and loud,The picture is blurred,different
Fabric feels soft,The mattress is too soft,different
The app crashes when I log in,I like the new colours of the app,different
Lid does not close,The door opens by itself,different
Battery lasts two days,Shipping takes two days,different
Instructions are hard to follow,The dog follows me everywhere,different
It smells of plastic,The bag is made of recycled plastic,different
Paint peels off after a month,The colour is exactly as shown,different
`;
